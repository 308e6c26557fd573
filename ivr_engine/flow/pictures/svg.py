"""A flow as a picture in SVG: one file that needs no other, light or dark as the reader's screen is.

Knows layouts and SVG. Must not know steps but by their outline.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from ivr_engine.flow.model import Library
from ivr_engine.flow.pictures.layout import DrawnArm, DrawnBox, DrawnLabel, Layout, laid_out
from ivr_engine.flow.pictures.outline import Nature, Outline, outline_of
from ivr_engine.flow.pictures.shapes import (
    DETAIL_SIZE,
    LABEL_LINE,
    LABEL_SIZE,
    NAME_SIZE,
    Line,
    Point,
    Rectangle,
    bends,
    shortened,
    width_of,
)

EDGE: Final = 24.0
CORNER: Final = 6.0
HEADER: Final = 74.0
LEGEND_LINE: Final = 24.0
TITLE_SIZE: Final = 18.0
SWATCH: Final = 16.0
WIDTH_LEAST: Final = 640.0

_COLOURS: Final[tuple[tuple[Nature, str, str, str, str], ...]] = (
    # nature, light fill and stroke, dark fill and stroke
    (Nature.ASKS, "#e0edff", "#2f6fc4", "#15304f", "#6aa5ee"),
    (Nature.SPEAKS, "#e6f5e6", "#3d8b40", "#173a1c", "#74c078"),
    (Nature.DECIDES, "#f2f2f2", "#808080", "#303030", "#a0a0a0"),
    (Nature.BANK, "#fff2d6", "#b7791f", "#43320f", "#e0ae54"),
    (Nature.HUMAN, "#f3e3fa", "#8e44ad", "#3b2148", "#c58be0"),
    (Nature.FLOW, "#dff5f4", "#20827c", "#103a38", "#5bc4bd"),
    (Nature.ENDS, "#4a4a4a", "#2b2b2b", "#d8d8d8", "#f4f4f4"),
    (Nature.ENTRY, "#ffffff", "#b0b0b0", "#1b1b1b", "#666666"),
)


def svg(library: Library, flow: str) -> str:
    """Return a flow as an SVG document; raise `KeyError` when the library has no such flow."""
    return drawn(laid_out(outline_of(library, flow)))


def drawn(layout: Layout) -> str:
    """Return a layout as an SVG document."""
    content = max(layout.width, WIDTH_LEAST)
    legend, legend_height = _legend(layout.outline, content)
    top = EDGE + HEADER + legend_height
    width, height = content + 2 * EDGE, top + layout.height + 2 * EDGE
    left = EDGE + (content - layout.width) / 2
    title = f"{layout.outline.title} ({layout.outline.name})"
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(title)}>',
        f"<title>{escape(title)}</title>",
        f"<style>{_style()}</style>",
        f"<defs>{''.join(map(_head, ('arm', 'grey', 'worst')))}</defs>",
        '<rect class="page" width="100%" height="100%"/>',
        f'<g transform="translate({EDGE:.0f} {EDGE:.0f})">',
        *_header(layout.outline),
        f'</g><g transform="translate({EDGE:.0f} {EDGE + HEADER:.0f})">',
        *legend,
        f'</g><g transform="translate({left:.1f} {top:.1f})">',
        f'<circle class="begin" cx="{layout.begin.begin[0]:.1f}" cy="0" r="6"/>',
        f'<path class="arm" marker-end="url(#head-arm)" d="{_path(layout.begin)}"/>',
        *(_arm(arm) for arm in sorted(layout.arms, key=_above_others)),
        *(_box(box) for box in layout.boxes.values()),
        *(_label(label) for label in layout.labels),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _style() -> str:
    light = [
        "text{font-family:system-ui,'Segoe UI','Noto Sans','Noto Sans CJK SC','DejaVu Sans',sans-serif;fill:#1f1f1f}",
        f".title{{font-size:{TITLE_SIZE}px;font-weight:600}}.name{{font-size:{NAME_SIZE}px;font-weight:600}}",
        f".detail{{font-size:{DETAIL_SIZE}px;fill:#555}}.label{{font-size:{LABEL_SIZE}px}}",
        f".seconds{{font-size:{DETAIL_SIZE}px;fill:#c0271d;font-weight:600}}.red{{fill:#c0271d}}",
        ".page{fill:#fff}.begin{fill:#1f1f1f}.arm,.grey,.worst{fill:none;stroke:#4d4d4d;stroke-width:1.4}",
        ".grey{stroke:#b0b0b0;stroke-width:.9}.worst{stroke:#d0342c;stroke-width:2.6}",
        ".tag{fill:#fff;stroke:#8a8a8a;stroke-width:.8}.tag.g{stroke:#c4c4c4}.tag.w{stroke:#d0342c;stroke-width:1.4}",
        ".label.g{fill:#777}.head-arm{fill:#4d4d4d}.head-grey{fill:#b0b0b0}.head-worst{fill:#d0342c}",
        ".box{stroke-width:1.4}.inner{fill:none;stroke-width:1}.box.w{stroke-width:2.6}",
    ]
    dark = [
        "text{fill:#ececec}.detail{fill:#b4b4b4}.page{fill:#1b1b1b}.begin{fill:#ececec}.arm{stroke:#bdbdbd}",
        ".grey{stroke:#666}.worst{stroke:#ff6b61}.seconds,.red{fill:#ff8a82}.tag{fill:#262626;stroke:#8a8a8a}",
        ".tag.g{stroke:#555}.tag.w{stroke:#ff6b61}.label.g{fill:#a0a0a0}.head-arm{fill:#bdbdbd}",
        ".head-grey{fill:#666}.head-worst{fill:#ff6b61}",
    ]
    for nature, fill, stroke, dark_fill, dark_stroke in _COLOURS:
        name = nature.name.lower()
        light.append(f".{name}{{fill:{fill};stroke:{stroke}}}.{name}.w{{stroke:#d0342c}}")
        dark.append(f".{name}{{fill:{dark_fill};stroke:{dark_stroke}}}.{name}.w{{stroke:#ff6b61}}")
    light.append(".t-ends{fill:#fff}")
    dark.append(".t-ends{fill:#1b1b1b}")
    return "".join(light) + "@media (prefers-color-scheme:dark){" + "".join(dark) + "}"


def _head(sort: str) -> str:
    return (
        f'<marker id="head-{sort}" viewBox="0 0 10 10" refX="9.5" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="head-{sort}" d="M0 1L10 5L0 9z"/></marker>'
    )


def _header(outline: Outline) -> Iterator[str]:
    yield f'<text class="title" x="0" y="{TITLE_SIZE:.0f}">{escape(outline.title)}</text>'
    count = sum(box.nature is not Nature.ENTRY for box in outline.boxes.values())
    steps = f"{count} step{'' if count == 1 else 's'}"
    yield f'<text class="detail" x="0" y="38">flow {escape(outline.name)}, {steps}</text>'
    if outline.worst is not None:
        least = "" if outline.worst.exact else "at least "
        words = f"Longest way to a human without going in circles: {least}{outline.worst.seconds} s"
        yield f'<text class="seconds" x="0" y="56">{words}</text>'


def _legend(outline: Outline, width: float) -> tuple[list[str], float]:
    """Draw what colours and lines mean, in as many lines as the width needs."""
    items = [(nature.name.lower(), nature.value) for nature in Nature]
    items += [("arm", "leads to"), ("grey", "written at the top of the file")]
    items += [("worst", "longest way to a human")] if outline.worst is not None else []
    drawn_items: list[str] = []
    x = y = 0.0
    for sort, words in items:
        wide = SWATCH + 8 + width_of(words, DETAIL_SIZE) + 16
        if x + wide > width and x > 0:
            x, y = 0.0, y + LEGEND_LINE
        if sort in ("arm", "grey", "worst"):
            swatch = f'<path class="{sort}" d="M{x:.1f} {y + 6:.1f}h{SWATCH + 4:.0f}"/>'
        else:
            swatch = f'<rect class="box {sort}" x="{x:.1f}" y="{y:.1f}" width="{SWATCH:.0f}" height="12" rx="3"/>'
        drawn_items.append(f'{swatch}<text class="detail" x="{x + SWATCH + 8:.1f}" y="{y + 10:.1f}">{words}</text>')
        x += wide
    return drawn_items, y + LEGEND_LINE + 14


def _above_others(arm: DrawnArm) -> int:
    return 2 if arm.arm.worst else 0 if arm.arm.grey else 1


def _arm(drawn_arm: DrawnArm) -> str:
    sort = "worst" if drawn_arm.arm.worst else "grey" if drawn_arm.arm.grey else "arm"
    return (
        f'<path class="{sort}" marker-end="url(#head-{sort})" d="{_path(drawn_arm.line)}">'
        f"<title>{escape(drawn_arm.arm.tooltip)}</title></path>"
    )


def _box(drawn_box: DrawnBox) -> str:
    box, place = drawn_box.box, drawn_box.rectangle
    sort = box.nature.name.lower()
    worst = " w" if box.at_s is not None else ""
    round_ = (
        place.height / 2 if box.nature in (Nature.ENDS, Nature.HUMAN) else 7 if box.nature is not Nature.BANK else 0
    )
    lines = [
        f"<g><title>{escape(box.tooltip)}</title>",
        f'<rect class="box {sort}{worst}" {_where(place)} rx="{round_:.0f}"/>',
    ]
    if box.nature is Nature.FLOW:
        down = f"{place.y:.1f}v{place.height:.1f}"
        sides = f"M{place.x + 5:.1f} {down}M{place.right - 5:.1f} {down}"
        lines.append(f'<path class="inner {sort}" d="{sides}"/>')
    seconds = "" if box.at_s is None else f'<tspan class="seconds" dx="8">{box.at_s} s</tspan>'
    text = f'text-anchor="middle" x="{place.middle:.1f}"'
    lines += [
        f'<text class="name t-{sort}" {text} y="{place.y + 18:.1f}">{escape(shortened(box.name))}</text>',
        f'<text class="detail t-{sort}" {text} y="{place.y + 33:.1f}">{escape(shortened(box.detail))}{seconds}</text>',
        "</g>",
    ]
    return "".join(lines)


def _label(label: DrawnLabel) -> str:
    place = label.rectangle
    sort = " w" if label.arm.worst else " g" if label.arm.grey else ""
    texts = "".join(
        f'<text class="label{sort}" text-anchor="middle" x="{place.middle:.1f}" '
        f'y="{place.y + 2 + LABEL_LINE * (number + 0.78):.1f}">{escape(line)}</text>'
        for number, line in enumerate(label.lines)
    )
    return f'<g><title>{escape(label.arm.tooltip)}</title><rect class="tag{sort}" {_where(place)} rx="4"/>{texts}</g>'


def _where(place: Rectangle) -> str:
    return f'x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}"'


def _path(line: Line) -> str:
    """Return a line as path data, its corners round."""
    words = [f"M{_at(line.begin)}"]
    here = line.begin
    for number, part in enumerate(line.parts):
        if part.curved:
            one, two = bends(here, part.to)
            words.append(f"C{_at(one)} {_at(two)} {_at(part.to)}")
        elif number + 1 < len(line.parts) and not line.parts[number + 1].curved:
            after = line.parts[number + 1].to
            words.append(f"L{_at(_towards(part.to, here))}Q{_at(part.to)} {_at(_towards(part.to, after))}")
        else:
            words.append(f"L{_at(part.to)}")
        here = part.to
    return "".join(words)


def _towards(corner: Point, other: Point) -> Point:
    """Return the point at which a round corner begins or ends."""
    long = abs(other[0] - corner[0]) + abs(other[1] - corner[1])
    share = min(CORNER, long / 2) / long if long else 0.0
    return (corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share)


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
