// What travelled, made fit to be shown and copied: secrets masked, bodies laid out, a call as a curl command.

const MASK = "••••";
const SECRET_NAMES = /token|secret|authorization|cookie|signature|api_key|ticket/i;
const SECRETS = /\b(xox[a-z]-|xapp-|whsec_|bl_(?:live|sandbox)_)[\w-]+/g;
const SECRET_PATHS = /(ticket=|\/slack\/response\/)[^\s"&]+/g; // who has one of these needs no key

const OF_THE_CONNECTION = ["host", "content-length", "connection", "accept", "accept-encoding", "user-agent", "transfer-encoding", "attempt", "reason"];
const FORM = "application/x-www-form-urlencoded";

/** Put a mask in the place of every token, key and signature within *value*. */
export function masked(value, name = "") {
  if (Array.isArray(value)) return value.map((one) => masked(one, name));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, masked(one, key)]));
  }
  if (typeof value !== "string") return value;
  if (SECRET_NAMES.test(name) && value) return MASK;
  return value.replace(SECRETS, `$1${MASK}`).replace(SECRET_PATHS, `$1${MASK}`);
}

/** Write a body out over several lines; "" for none. */
export function laidOut(body) {
  if (body === null || body === undefined || body === "") return "";
  const clean = masked(typeof body === "string" ? (parsed(body) ?? body) : body);
  return typeof clean === "string" ? clean : JSON.stringify(clean, null, 2);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Write an exchange as a curl command; null for what did not travel as a request. */
export function curlOf(exchange) {
  if (exchange.method === "DELIVER" && !exchange.headers["x-slack-signature"]) return null;
  const isDelivery = exchange.name.startsWith("deliver:");
  const isForm = (exchange.headers["content-type"] ?? "").startsWith(FORM);
  const method = exchange.method === "DELIVER" ? "POST" : exchange.method;
  const path = isDelivery && exchange.method === "DELIVER" ? "/slack/events" : exchange.raw_path;
  const lines = [`curl -X ${method} ${isDelivery ? `"$PUBLIC_URL"${quoted(masked(path))}` : quoted(location.origin + masked(path))}`];
  const key = keyOf(exchange, isDelivery);
  if (key) lines.push(`-H "Authorization: Bearer $${key}"`);
  for (const [name, value] of Object.entries(exchange.headers)) {
    if (!OF_THE_CONNECTION.includes(name)) lines.push(`-H ${quoted(`${name}: ${masked(value, name)}`)}`);
  }
  lines.push(...data(masked(exchange.body), isForm, exchange.name));
  return lines.join(" \\\n  ");
}

function keyOf({ vendor, name, method }, isDelivery) {
  if (isDelivery || /^(file|fetch):/.test(name) || (method === "POST" && name === "response_url")) return null;
  if (vendor === "blooio") return "BLOOIO_API_KEY";
  return name === "apps.connections.open" ? "SLACK_APP_TOKEN" : "SLACK_BOT_TOKEN";
}

function data(body, isForm, name) {
  if (body === null || body === undefined || body === "" || /^(file|fetch):/.test(name)) return [];
  if (!isForm || typeof body !== "object") return [`--data ${quoted(typeof body === "string" ? body : JSON.stringify(body))}`];
  const fields = name === "deliver:interactive" ? { payload: body } : body;
  return Object.entries(fields).map(([key, one]) => `--data-urlencode ${quoted(`${key}=${typeof one === "string" ? one : JSON.stringify(one)}`)}`);
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
