#!/usr/bin/env python3
"""Alignment scores in plain Python: a scanner, the template rules and dictionaries of n-grams, as a user would write them.

    scanner.py SOURCE TARGET [--style-free]

SOURCE and TARGET are files of a data set: a JSON list of records with `query` or `SQL`, or JSON Lines with `sql`. It prints
the scores as JSON, those of templates without marks of style too if that is asked for. Standard library only.
"""

import json
import math
import re
import sys
from collections import Counter

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
WORD_START = rf"(?:[A-Za-z_]|[^\x00-\x7f{SPACE}])"
WORD_PART = rf"(?:[A-Za-z0-9_$]|[^\x00-\x7f{SPACE}])"
TOKEN = re.compile(
    rf"""(?P<space>[{SPACE}]+|--[^\n]*|/\*(?:(?s:.*?)\*/|(?s:.*)))
    |(?P<end>;)
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<open_quote>['"`\[])
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?{WORD_PART}*)
    |(?P<word>{WORD_START}{WORD_PART}*)
    |(?P<operator>->>|\|\||->|<<|>>|<=|>=|<>|!=|==|::|[=<>+\-*/%&|~])
    |(?P<parameter>[?:@$\#]{WORD_PART}*)
    |(?P<punctuation>[(),.])
    |(?P<other>(?s:.))""",
    re.VERBOSE,
)

RESERVED = set(
    "ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE DELETE "
    "DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN "
    "LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION "
    "UNIQUE UPDATE USING VALUES WHEN WHERE".split()
)
PLAIN = set(
    "ASC BY CROSS CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DESC GLOB ILIKE INNER LIKE NATURAL OFFSET OUTER REGEXP "
    "WITH".split()
)
FRAME = set("CURRENT FOLLOWING GROUPS PRECEDING RANGE ROW ROWS UNBOUNDED".split())
NAMED_BEFORE = set("EXISTS INTO RECURSIVE REFERENCES TABLE WITH".split())
VALUES = set("END NULL CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP".split())
FIRST = set("( SELECT WITH VALUES INSERT UPDATE DELETE REPLACE CREATE ALTER DROP".split())
ASCII_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def lex(sql):
    """Tokens of the first statement as (kind, text), words in upper case; None if a quote is not closed."""
    tokens = []
    for match in TOKEN.finditer(sql):
        kind = match.lastgroup
        if kind == "space":
            continue
        if kind == "end":
            if tokens:
                break
            continue
        if kind == "open_quote":
            return None
        text = match.group()
        tokens.append((kind, text.translate(ASCII_UPPER) if kind == "word" else text))
    return tokens


def template(sql):
    """The tokens of the template, or None where there is none."""
    tokens = lex(sql)
    if tokens is None:
        return None
    kept = []
    opened = []
    cases = 0
    operand = False
    at = 0
    nothing = ("", "")

    def near(place):
        return tokens[place] if 0 <= place < len(tokens) else nothing

    def word(place):
        kind, text = near(place)
        return text if kind == "word" else ""

    while at < len(tokens):
        kind, text = tokens[at]
        before, after = near(at - 1), near(at + 1)
        if kind == "word":
            dotted = before[1] == "." or after[1] == "." or before[1] == "::"
            if text == "AS" and not dotted and opened and opened[-1] in ("CAST", "TRY_CAST"):
                depth = 0
                while at < len(tokens):
                    if tokens[at][1] == "(":
                        depth += 1
                    elif tokens[at][1] == ")":
                        if depth == 0:
                            break
                        depth -= 1
                    at += 1
                continue
            keep = False
            previous, following = word(at - 1), word(at + 1)
            if dotted or text == "AS" or (previous == "AS" and text not in RESERVED):
                pass
            elif text in RESERVED or text in PLAIN:
                keep = True
            elif text == "END":
                keep = cases > 0
            elif text in ("LEFT", "RIGHT", "FULL"):
                keep = following in ("JOIN", "OUTER")
            elif text == "NULLS":
                keep = following in ("FIRST", "LAST")
            elif text in ("FIRST", "LAST"):
                keep = previous == "NULLS"
            elif text == "PARTITION":
                keep = following == "BY"
            elif text == "OVER":
                keep = before[1] == ")"
            elif text in FRAME:
                keep = bool(opened) and opened[-1] == "OVER"
            elif text == "RECURSIVE":
                keep = previous == "WITH"
            elif text == "REPLACE":
                keep = following == "INTO"
            elif text == "IF":
                keep = following in ("NOT", "EXISTS")
            elif text == "VIEW":
                keep = previous in ("CREATE", "DROP", "ALTER")
            elif text == "COLUMN":
                keep = previous in ("ADD", "DROP", "ALTER")
            elif text == "KEY":
                keep = previous in ("PRIMARY", "FOREIGN")
            elif text == "INTERVAL":
                keep = after[0] in ("string", "number")
            if keep:
                cases += (text == "CASE") - (text == "END")
            elif not dotted and text != "AS" and not (previous == "AS" and text not in RESERVED):
                keep = after[1] == "(" and previous not in NAMED_BEFORE
            if keep:
                kept.append(text)
            operand = not keep or text in VALUES
        elif kind == "operator":
            if not (text in "+-" and after[0] == "number" and not operand):
                kept.append({"<>": "!=", "==": "="}.get(text, text))
            operand = False
        elif text == "(":
            opened.append(word(at - 1))
            kept.append(text)
            operand = False
        elif text == ")":
            if opened:
                opened.pop()
            kept.append(text)
            operand = True
        elif text == ",":
            kept.append(text)
            operand = False
        elif text != ".":
            operand = True
        at += 1
    return kept if kept and kept[0] in FIRST else None


def is_word(token):
    first = token[0]
    return "A" <= first <= "Z" or first == "_" or first > "\x7f"


def ngrams(templates, l_max=15):
    """How often each n-gram occurs. Equal templates are taken apart once."""
    counts = Counter()
    for tokens, times in Counter(templates).items():
        for start in range(len(tokens)):
            if tokens[start] == ",":
                continue
            depth = 0
            has_word = False
            for end in range(start, min(start + l_max, len(tokens))):
                token = tokens[end]
                if token == "(":
                    depth += 1
                elif token == ")":
                    depth -= 1
                    if depth < 0:
                        break
                elif is_word(token):
                    has_word = True
                if has_word and depth == 0 and token != ",":
                    counts[tokens[start : end + 1]] += times
    return counts


def kl(s, t, n_s, n_t, union, alpha=0.5):
    mass_s, mass_t = n_s + alpha * len(union), n_t + alpha * len(union)
    least = alpha / mass_t
    d = c = 0.0
    for f in union:
        p = (s.get(f, 0) + alpha) / mass_s
        d += p * math.log(p / ((t.get(f, 0) + alpha) / mass_t))
        c += p * math.log(p / least)
    return d, c, math.exp(-d / c)


def scores(source, target):
    s, t = ngrams(source), ngrams(target)
    n_s, n_t = sum(s.values()), sum(t.values())
    union = s.keys() | t.keys()
    d, c, a = kl(s, t, n_s, n_t, union)
    d_rev, c_rev, a_rev = kl(t, s, n_t, n_s, union)
    js = 0.0
    for f in union:
        p, q = s.get(f, 0) / n_s, t.get(f, 0) / n_t
        m = (p + q) / 2
        js += (0.5 * p * math.log2(p / m) if p else 0.0) + (0.5 * q * math.log2(q / m) if q else 0.0)
    known = set(source)
    return {
        "a_kl": a, "a_kl_rev": a_rev, "d_kl": d, "d_kl_rev": d_rev, "c": c, "c_rev": c_rev, "js": js,
        "ovlp_template": sum(tokens in known for tokens in target) / len(target),
        "ovlp_ngram": sum(n for f, n in t.items() if f in s) / n_t,
        "n_union": len(union), "n_source": len(source), "n_target": len(target),
    }


def read(path):
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file] if path.endswith(".jsonl") else json.load(file)
    return [next(row[field] for field in ("query", "SQL", "sql") if field in row) for row in rows]


def run(template_of):
    paths = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    sets = []
    for path in paths:
        found = (template_of(sql) for sql in read(path))
        sets.append([tuple(tokens) for tokens in found if tokens])
    result = scores(*sets)
    if "--style-free" in sys.argv:
        drop = {"INNER", "OUTER", "ASC"}
        free = [[tuple(t for t in tokens if t not in drop) for tokens in of] for of in sets]
        result["style_free"] = scores(*free)
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    run(template)
