#!/usr/bin/env python3
"""Draws the rows of benchmark JSON files as bars, in SVG, without any package.

usage: bench/plot.py OUT.svg FILE.json...

One bar a row that has a baseline: its ratio, 1 being the baseline; above 1 is better.
"""
import html
import json
import sys

WIDTH, LABEL, ROW = 760, 250, 26


def draw(rows):
    top = max([1.25] + [r["ratio"] for r in rows])
    scale = (WIDTH - LABEL - 120) / top
    height = ROW * len(rows) + 46
    one = LABEL + scale
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for i, row in enumerate(rows):
        y = 10 + i * ROW
        length = max(1.0, row["ratio"] * scale)
        name = html.escape(f'{row["suite"]}: {row["row"]}')
        value = html.escape(f'{row["ratio"]:.2f} x {row["baseline"]}')
        out.append(f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end" fill="#222222">{name}</text>')
        out.append(f'<rect x="{LABEL}" y="{y + 2}" width="{length:.1f}" height="{ROW - 8}" fill="#3b6ea5"/>')
        inside = LABEL + length > WIDTH - 190
        x = LABEL + length + (-6 if inside else 6)
        anchor, colour = ("end", "#ffffff") if inside else ("start", "#222222")
        out.append(f'<text x="{x:.1f}" y="{y + 15}" text-anchor="{anchor}" fill="{colour}">{value}</text>')
    out.append(f'<line x1="{one:.1f}" y1="6" x2="{one:.1f}" y2="{height - 30}" stroke="#b03030" stroke-dasharray="4 3"/>')
    out.append(f'<text x="{one:.1f}" y="{height - 12}" text-anchor="middle" fill="#b03030">1 = the baseline</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    rows = []
    for path in arguments[1:]:
        with open(path, encoding="utf-8") as file:
            rows += [r for r in json.load(file) if r["ratio"] is not None]
    if not rows:
        sys.exit("no row has a ratio")
    with open(arguments[0], "w", encoding="utf-8") as file:
        file.write(draw(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
