"""Reading what people type in Slack: whom to text, and what to say. Pure: no clock, no client, no lookup."""
