# LiteLLM with a database of one table, in memory: its engine can't be had from a package registry.
#
# What LiteLLM answers, hashes and checks is its own code; only rows are kept and found here.

import json
from collections import defaultdict
from datetime import datetime, timezone

from litellm.proxy import proxy_server
from litellm.proxy.utils import PrismaClient


# What the schema gives a column that LiteLLM writes nothing into.
DEFAULTS = {"total_spend": 0.0, "model_spend": {}, "soft_budget_cooldown": False}


class Row:
    def __init__(self, columns):
        self.__dict__.update(columns)

    def __getattr__(self, column):
        if column.startswith("__"):
            raise AttributeError(column)
        return None  # a column without a value

    def model_dump(self, **_):
        return dict(self.__dict__)

    dict = model_dump


class Table:
    def __init__(self):
        self.rows = {}

    def found(self, where):
        equal = lambda row: all(row.__dict__.get(column) == value for column, value in where.items())
        return [row for row in self.rows.values() if equal(row)]

    async def find_unique(self, where, **_):
        return next(iter(self.found(where)), None)

    find_first = find_unique

    async def find_many(self, where=None, **_):
        return self.found(where or {})

    async def upsert(self, where, data, **_):
        (token,) = where.values()
        columns = {column: stored(value) for column, value in data["create"].items()}
        created = {"created_at": datetime.now(timezone.utc)}
        self.rows.setdefault(token, Row({**DEFAULTS, **created, **columns, **where}))
        return self.rows[token]

    async def update(self, where, data, **_):
        row = await self.find_unique(where)
        row.__dict__.update(data)
        return row


def stored(value):
    """JSON is written as text, and read as what it says."""
    return json.loads(value) if isinstance(value, str) and value.startswith(("{", "[")) else value


class Database:
    def __init__(self):
        self.litellm_verificationtoken = Table()
        self.empty = Table()

    def __getattr__(self, name):
        return self.empty

    async def query_first(self, sql, token, *_):
        """The query by which LiteLLM checks a caller's key: its row, and nothing of a team, as it has none."""
        row = await self.litellm_verificationtoken.find_unique({"token": token})
        return row and defaultdict(lambda: None, row.model_dump())


client = PrismaClient.__new__(PrismaClient)
client.db = Database()
client.proxy_logging_obj = proxy_server.proxy_logging_obj


@proxy_server.app.post("/database-of-the-test")
async def connect():
    """Not at LiteLLM's start, where it would wait for a database to migrate."""
    proxy_server.prisma_client = client
