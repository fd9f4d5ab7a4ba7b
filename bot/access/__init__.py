"""Who may text, and who sees what."""
