// The control routes of the phones, of trouble, of the bot and of the wire, as functions. Mistakes are as in `sandbox`.

import { ask } from "./sandbox.js";

/** Write from a phone: `{ text, attachments }`, with the URLs that `offer` gave. */
export function write(address, text) {
  return send("POST", `${phone(address)}/texts`, text);
}

/** Have the sandbox serve a file, to be attached; resolves to its URL. */
export async function offer(address, file) {
  const query = new URLSearchParams({ name: file.name, type: file.type || "application/octet-stream" });
  return (await ask(`${phone(address)}/files?${query}`, { method: "POST", body: file })).url;
}

/** React to a text: `{ reaction, message_id, action, in_words }`. */
export function react(address, reaction) {
  return send("POST", `${phone(address)}/reactions`, reaction);
}

/** Read everything on a phone. */
export function readAll(address) {
  return send("POST", `${phone(address)}/read`);
}

/** Change what a phone is like. */
export function change(address, profile) {
  return send("PATCH", phone(address), profile);
}

/** Add a phone: `{ address, name }`; resolves to the whole phone. */
export function addPhone(profile) {
  return send("POST", "/_sandbox/phones", profile);
}

/** Order trouble, as `sandbox.faults.Fault` has it. */
export function order(fault) {
  return send("POST", "/_sandbox/faults", fault);
}

/** Take back one order of trouble. */
export function cancel(id) {
  return send("DELETE", `/_sandbox/faults?${new URLSearchParams({ id })}`);
}

/** Let webhooks go wrong, as `sandbox.blooio.mischief.Kind` lists. */
export function misbehave(order) {
  return send("POST", "/_sandbox/blooio/mischief", order);
}

/** Let webhooks behave again in one way. */
export function behave(id) {
  return send("DELETE", `/_sandbox/blooio/mischief?${new URLSearchParams({ id })}`);
}

/** Put Slack's limits in force, in place of those before. */
export function limit(limits) {
  return send("POST", "/_sandbox/slack/limits", limits);
}

/** Break the app's sockets. */
export function disconnect() {
  return send("POST", "/_sandbox/slack/disconnect", { cut: true });
}

/** Stop the bot or start it; resolves once that is done. */
export function stopBot() {
  return send("POST", "/_sandbox/bot/stop");
}

export function startBot() {
  return send("POST", "/_sandbox/bot/start");
}

/** Read what is wrong now. */
export function trouble() {
  return ask("/_sandbox/trouble");
}

/** Take all trouble back. */
export function takeAllBack() {
  return send("DELETE", "/_sandbox/trouble");
}

/** Read what travelled after the exchange `since`, at most `latest` of it. */
export async function exchanges({ since, latest }) {
  return (await ask(`/_sandbox/exchanges?${new URLSearchParams({ since, latest })}`)).exchanges;
}

function phone(address) {
  return `/_sandbox/phones/${encodeURIComponent(address)}`;
}

function send(method, path, body = {}) {
  return ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}
