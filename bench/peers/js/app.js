// Bolt for JavaScript, as the guides show it: say it in the channel, check, send, answer in the thread.

const { App } = require("@slack/bolt");

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

async function blooio(method, path, body) {
  const response = await fetch(process.env.BLOOIO_BASE_URL + path, {
    method,
    headers: { Authorization: `Bearer ${process.env.BLOOIO_API_KEY}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Blooio said ${response.status}`);
  return response.json();
}

app.command("/text", async ({ ack, command, client }) => {
  const [phone, ...words] = command.text.split(" ");
  const text = words.join(" ");
  await ack(`Texting ${phone}`);
  const card = await client.chat.postMessage({ channel: command.channel_id, text: `Texting ${phone}` });
  const who = encodeURIComponent(phone);
  const { capabilities } = await blooio("GET", `/contacts/${who}/capabilities`);
  const channel = capabilities.imessage ? "iMessage" : "SMS";
  const sent = await blooio("POST", `/chats/${who}/messages`, { text });
  await client.chat.postMessage({
    channel: command.channel_id,
    thread_ts: card.ts,
    text: `${text}\n${channel} · ${sent.status}`,
  });
});

app.start(Number(process.env.PORT));
