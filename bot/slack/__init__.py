"""The adapter to Slack's Web API: `client` speaks, and every failure is sorted into what can be done about it."""
