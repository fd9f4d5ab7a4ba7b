// One phone: who it belongs to, its screen with the texts of both sides, and the box in which its owner writes.

import { element, iconButton, show, stayAtEnd } from "./nodes.js";
import { drawBubble } from "./phones-bubble.js";
import { PhoneComposer } from "./phones-composer.js";
import { opensSettings } from "./phones-settings.js";
import { channelOf, initials, owner, spaced } from "./phones.js";
import * as routes from "./routes.js";
import { tell } from "./tell.js";

/** The phone behind *address*. It stays the same while it is shown, and after: what is typed is not lost. */
export class Screen {
  constructor(address) {
    this.address = address;
    this.phone = null; // as it was shown last
    this.begin = () => {};
    this.composer = new PhoneComposer(address, () => this.phone);
    this.face = element("span", { class: "face", "aria-hidden": "true" });
    this.name = element("h3", {});
    this.about = element("p", {});
    this.text = element("button", { type: "button", class: "button", click: () => this.begin(this.phone) }, "Text");
    this.settings = iconButton("settings", "Settings of this phone");
    this.reads = element("button", { type: "button", click: () => act(routes.readAll(address)) }, "Read everything");
    this.list = element("ol", { class: "texts" });
    this.typing = element("p", { class: "typing", role: "status" });
    this.nothing = element("p", { class: "nothing" });
    this.scroller = element("div", { class: "screen", tabindex: 0, role: "group" }, this.nothing, this.list, this.typing);
    opensSettings(this.settings, { address, phone: () => this.phone });
    this.node = element(
      "article",
      { class: "phone" },
      element("header", {}, this.face, element("div", { class: "whose" }, this.name, this.about), this.text, this.settings),
      this.scroller,
      this.composer.node,
    );
    this.composer.addQuick(this.reads);
    stayAtEnd(this.scroller, this.list);
  }

  show(phone, { team, tz, begin }) {
    this.phone = phone;
    this.begin = begin;
    const name = owner(phone);
    set(this.name, name);
    set(this.about, traits(phone).join(" · "));
    set(this.face, initials(phone));
    set(this.nothing, `Nothing yet. A text from ${team} appears here, as ${name} sees it.`);
    this.face.className = `face ${phone.channel ?? ""}`;
    this.node.setAttribute("aria-label", `Phone of ${name}`);
    this.scroller.setAttribute("aria-label", `Screen of ${name}’s phone`);
    this.list.setAttribute("aria-label", `Texts on the phone of ${name}`);
    this.text.setAttribute("aria-label", `Text ${name}`);
    this.nothing.hidden = phone.texts.length > 0;
    this.reads.disabled = !phone.texts.some((one) => one.direction === "outbound" && one.reached_at && !one.read_at);
    this.showTyping(phone.typing, team);
    this.composer.show(phone);
    const lastOwn = phone.texts.findLast((one) => one.direction === "inbound")?.id;
    const items = phone.texts.map((text, index) => ({
      key: text.id,
      text,
      tz,
      channel: phone.channel,
      address: phone.address,
      name: phone.name,
      isLastOwn: text.id === lastOwn,
      startsDay: startsStretch(text, phone.texts[index - 1]),
    }));
    show(this.list, items, (item) => drawBubble(item, (reaction) => act(routes.react(phone.address, reaction))));
  }

  showTyping(isTyping, team) {
    if (isTyping === (this.typing.childElementCount > 0)) return;
    const dots = [1, 2, 3].map(() => element("i", {}));
    this.typing.replaceChildren(...(isTyping ? [...dots, element("span", { class: "unseen" }, `${team} is typing`)] : []));
    if (isTyping) this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

const STRETCH = 30 * 60; // seconds without a text, after which the time is written again

function startsStretch(text, before) {
  return !before || text.at - before.at > STRETCH || Boolean(text.protocol && before.protocol && text.protocol !== before.protocol);
}

/** What there is to know of a phone, below its owner's name. */
function traits(phone) {
  return [
    phone.name && spaced(phone.address),
    channelOf(phone),
    phone.unreachable && "unreachable",
    phone.delivered_after > 2 && "slow",
    phone.fails_with && "texts fail",
    !phone.receipts && "no read receipts",
  ].filter(Boolean);
}

function set(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

/** Do what the reader wants, and say why not. */
export async function act(doing) {
  try {
    return await doing;
  } catch (mistake) {
    tell(mistake.message);
    return null;
  }
}

