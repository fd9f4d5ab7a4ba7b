// On a narrow screen one pane is shown at a time; tabs at its foot lead from one to another.

const tabs = [...document.getElementById("panes").children];

/** Show the pane with this id; on a wide screen, where all are shown, nothing changes. */
export function showPane(id) {
  document.body.dataset.pane = id;
  for (const tab of tabs) tab.setAttribute("aria-pressed", tab.dataset.pane === id);
}

/** Say whether one pane is shown at a time. */
export function isNarrow() {
  return matchMedia("(max-width: 700px)").matches;
}

for (const tab of tabs) tab.addEventListener("click", () => showPane(tab.dataset.pane));
showPane("channel");
