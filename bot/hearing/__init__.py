"""What Blooio knows: told by webhooks, read where nobody told us, and applied."""
