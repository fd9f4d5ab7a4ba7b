"""What comes in over the network: Slack's requests, from a socket or over HTTP, and whatever else is served."""
