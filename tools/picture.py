#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# picture.py TITLE <CAPTURE >SVG: a terminal's screen (tmux capture-pane -e) as a
# picture. It knows bold and reverse, which is all that the screens use.
import html
import re
import sys

CELL_W, CELL_H, PAD = 8.4, 17, 12
BACK, FORE = "#1c1f26", "#d8dee9"


def cells(line):
    """(character, bold, reverse) for each column of a captured line."""
    bold = reverse = False
    out, at = [], 0
    for m in re.finditer(r"\x1b\[([0-9;]*)m|\x0e|\x0f", line):
        out += [(c, bold, reverse) for c in line[at:m.start()]]
        at = m.end()
        for code in (m.group(1) or "0").split(";"):
            n = int(code or 0)
            if n == 0:
                bold = reverse = False
            elif n == 1:
                bold = True
            elif n == 7:
                reverse = True
            elif n in (22, 27):
                bold, reverse = (False, reverse) if n == 22 else (bold, False)
    return out + [(c, bold, reverse) for c in line[at:]]


def spans(row):
    """Runs of one style: (column, text, bold, reverse)."""
    at = 0
    while at < len(row):
        end = at
        while end < len(row) and row[end][1:] == row[at][1:]:
            end += 1
        yield at, "".join(c for c, _, _ in row[at:end]), row[at][1], row[at][2]
        at = end


def main():
    rows = [cells(line) for line in sys.stdin.read().rstrip("\n").split("\n")]
    columns = max(len(r) for r in rows)
    width, height = columns * CELL_W + 2 * PAD, len(rows) * CELL_H + 2 * PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
          f'width="{width:.0f}" height="{height:.0f}" role="img">')
    print(f"<title>{html.escape(sys.argv[1])}</title>")
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACK}"/>')
    print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">')
    for y, row in enumerate(rows):
        for x, text, bold, reverse in spans(row):
            left, top = PAD + x * CELL_W, PAD + y * CELL_H
            if reverse:
                print(f'<rect x="{left:.1f}" y="{top:.1f}" width="{len(text) * CELL_W:.1f}" height="{CELL_H}" fill="{FORE}"/>')
            if not text.strip():
                continue
            weight = ' font-weight="bold"' if bold else ""
            print(f'<text x="{left:.1f}" y="{top + 13:.1f}" textLength="{len(text) * CELL_W:.1f}" '
                  f'fill="{BACK if reverse else FORE}"{weight}>{html.escape(text)}</text>')
    print("</g></svg>")


main()
