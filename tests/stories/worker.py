"""One request: go on with a run where the last one left it, and end without a word.

python worker.py '[PLUGIN, BACKEND, BINDING, RUN, STEP]'
"""

import asyncio
import json
import os
import sys
from typing import Any

from core_caps import connect
from core_caps.capabilities.sql import Sql, Statement
from core_caps.errors import Conflict

GONE, BEATEN = 9, 3
"""How it ends: killed once its step is done, or told that another was first."""


async def serve(plugin: str, backend: str, binding: dict[str, Any], run: str, step: str) -> int:
    """Do the step after the last one, whole or not at all."""
    async with connect(Sql, plugin, backend=backend, **binding) as sql:
        last = await sql.query("SELECT count(*) FROM workflow_events WHERE run = $1", [run])
        ((position,),) = last.rows
        assert isinstance(position, int)
        made = Statement(
            "INSERT INTO workflow_steps (run, step, attempt, output) VALUES ($1, $2, 1, '')",
            [run, step],
        )
        told = Statement(
            "INSERT INTO workflow_events (run, position, kind, body) VALUES ($1, $2, $3, $4)",
            [run, position + 1, "step_completed", f"after {position}"],
        )
        try:
            await sql.batch([made, told])
        except Conflict:
            return BEATEN
        os._exit(GONE)


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(*json.loads(sys.argv[1]))))
