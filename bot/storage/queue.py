"""
The queue as it is in the database, which is procrastinate's: for statements that put a job into it.

It is told directly what procrastinate's own Python would tell it. That takes a fifth of the time, and every text pays
for it; and what is stored and its job can be one statement.
"""

from typing import LiteralString

#: The queue of what no other work may hold up, and the task that sends one text.
TEXTS: LiteralString = "default"
DELIVER: LiteralString = "deliver"


def deferred(
    queue: LiteralString, task: LiteralString, priority: LiteralString, lock: LiteralString, arguments: LiteralString
) -> LiteralString:
    """Return the SQL that defers one job, of SQL for each of its parts."""
    return (
        f"procrastinate_defer_jobs_v1(ARRAY[ROW({queue}, {task}, {priority}, {lock}, NULL, {arguments}, NULL)"
        "::procrastinate_job_to_defer_v1])"
    )
