"""What people see in Slack: drawn from the rows, and again whenever they change, by one process at a time."""
