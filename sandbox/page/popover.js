// Something that opens beside its button: it has the focus until it is closed, and gives it back.

const GAP = 6; // pixels between a button and what it opens, and between that and the window's edge

let open = null; // what is open, with its button: one at a time

/** Say whether what *button* opens is open. */
export function isOpen(button) {
  return open?.button === button;
}

/** Say whether the reader is in something that is open. */
export function isInOpen() {
  return Boolean(open?.panel.contains(document.activeElement));
}

/** Open *panel* beside *button*, and close whatever is open. Where the focus goes is for the caller. */
export function openBeside(button, panel) {
  closePopover();
  (button.closest("dialog") ?? document.body).append(panel); // beside a modal everything else is out of reach
  open = { panel, button };
  button.setAttribute("aria-expanded", true);
  place(panel, button.getBoundingClientRect());
}

/** Close what is open, if anything, and give the focus back unless the reader has put it elsewhere. */
export function closePopover() {
  if (!open) return;
  const { panel, button } = open;
  open = null;
  const isFree = panel.contains(document.activeElement) || document.activeElement === document.body;
  panel.remove();
  button.setAttribute("aria-expanded", false);
  const again = (button.id && document.getElementById(button.id)) || button; // it may have been drawn anew meanwhile
  if (isFree) again.focus({ preventScroll: true });
}

/** Put a panel below its button, or above where there is no room, and towards the middle of the window. */
function place(panel, button) {
  const below = button.bottom + GAP;
  const fits = below + panel.offsetHeight + GAP <= innerHeight;
  const isRight = button.left > innerWidth / 2;
  const left = isRight ? button.right - panel.offsetWidth : button.left;
  panel.style.top = `${Math.max(GAP, fits ? below : button.top - GAP - panel.offsetHeight)}px`;
  panel.style.left = `${Math.max(GAP, Math.min(left, innerWidth - panel.offsetWidth - GAP))}px`;
}

document.addEventListener("click", ({ target }) => {
  if (open && target.isConnected && !open.panel.contains(target) && !open.button.contains(target)) closePopover();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !open?.panel.contains(event.target)) return;
  event.preventDefault();
  event.stopPropagation(); // what is below stays open
  closePopover();
}, true);
