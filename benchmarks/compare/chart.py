"""Draws speed against length, a line per system, as an SVG that can be read on
a light and on a dark page."""

import math

WIDTH, HEIGHT = 860, 380
LEFT, TOP, PANEL, DEPTH, GAP = 46, 44, 300, 270, 46

# One colour and one dash each, told apart on white and on black.
STYLES = {
    "attn": ("#e4572e", ""), "PyTorch": ("#8a63d2", ""),
    "FlexAttention": ("#8a63d2", "5 3"), "ONNX Runtime": ("#2f8fd3", ""),
    "OpenVINO": ("#2a9d6f", ""), "JAX": ("#b08900", ""),
    "IREE": ("#8c8c8c", ""), "NumPy": ("#8c8c8c", "2 2"),
}

STYLE = """\
  <style>
    text { font: 12px sans-serif; fill: #333 }
    .grid { stroke: #888; stroke-opacity: .3 }
    @media (prefers-color-scheme: dark) { text { fill: #ddd } }
  </style>"""


def nice_step(top):
    """A step of 1, 2 or 5 times a power of 10, at most six to the top."""
    power = 10 ** math.floor(math.log10(top / 6))
    return next(power * factor for factor in (1, 2, 5, 10)
                if power * factor * 6 >= top)


class Panel:
    """One pair of axes; lengths on a scale of powers of 2."""

    def __init__(self, left, lines, top):
        lengths = [length for line in lines.values() for length, _ in line]
        self.left, self.top = left, top
        self.least, self.most = min(lengths), max(lengths)

    def x(self, length):
        span = math.log2(self.most / self.least) or 1
        return self.left + PANEL * math.log2(length / self.least) / span

    def y(self, speed):
        return TOP + DEPTH * (1 - speed / self.top)

    def draw_axes(self, title, step):
        yield (f'  <text x="{self.left + PANEL / 2:.0f}" y="{TOP - 12}" '
               f'text-anchor="middle">{title}</text>')
        for tick in range(int(self.top / step) + 1):
            y = self.y(tick * step)
            yield (f'  <path class="grid" d="M{self.left} {y:.1f}h{PANEL}"/>'
                   f'<text x="{self.left - 6}" y="{y + 4:.1f}" '
                   f'text-anchor="end">{tick * step:g}</text>')
        length = 2 ** math.ceil(math.log2(self.least))
        while length <= self.most:
            yield (f'  <text x="{self.x(length):.1f}" y="{TOP + DEPTH + 18}" '
                   f'text-anchor="middle">{length}</text>')
            length *= 2

    def draw_line(self, name, line):
        colour, dash = STYLES[name]
        points = " ".join(f"{self.x(length):.1f},{self.y(speed):.1f}"
                          for length, speed in sorted(line))
        width = 3 if name == "attn" else 1.6
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        yield (f'  <polyline fill="none" stroke="{colour}" '
               f'stroke-width="{width}"{dashes} points="{points}"/>')


def draw_legend(names):
    left = LEFT + 2 * PANEL + GAP + 24
    for number, name in enumerate(names):
        colour, dash = STYLES[name]
        y = TOP + 10 + 22 * number
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        yield (f'  <path stroke="{colour}" stroke-width="'
               f'{3 if name == "attn" else 1.6}"{dashes} d="M{left} {y}h26"/>'
               f'<text x="{left + 34}" y="{y + 4}">{name}</text>')


def draw(panels):
    """An SVG of (title, lines) pairs side by side; lines are points, length and
    GFLOP/s, by the name of a system."""
    panels = [(title, lines) for title, lines in panels if lines]
    most = max(speed for _, lines in panels for line in lines.values()
               for _, speed in line)
    step = nice_step(most)
    top = step * math.ceil(most / step)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
             f'{HEIGHT}" role="img" aria-label="GFLOP/s against length, a line '
             f'per system">', STYLE,
             f'  <text x="{LEFT}" y="16">GFLOP/s, dense attention, one core, '
             f'f32, against the number of rows</text>']
    for number, (title, lines) in enumerate(panels):
        panel = Panel(LEFT + number * (PANEL + GAP), lines, top)
        parts += panel.draw_axes(title, step)
        for name, line in reversed(lines.items()):
            parts += panel.draw_line(name, line)
    names = dict.fromkeys(name for _, lines in panels for name in lines)
    parts += draw_legend(names)
    return "\n".join([*parts, "</svg>\n"])
