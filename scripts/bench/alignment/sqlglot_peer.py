#!/usr/bin/env python3
"""Alignment scores by way of sqlglot's parse tree: parse, take aliases away, print, and reduce what is printed.

    sqlglot_peer.py SOURCE TARGET [--style-free]

Files and figures are as in scanner.py. Printing rewrites (`SUBSTR`, `LIMIT a, b`, `IS NOT NULL`), and what sqlglot can't
parse is left out, so the figures differ a little from those of the definition. Wants `pip install sqlglot==30.30.0`.
"""

import logging

import sqlglot
from sqlglot import exp

import scanner

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def template(sql):
    try:
        tree = sqlglot.parse_one(sql, read="sqlite")
        for alias in list(tree.find_all(exp.Alias)):
            alias.replace(alias.this)
        printed = tree.sql(dialect="sqlite")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    return scanner.template(printed)


if __name__ == "__main__":
    scanner.run(template)
