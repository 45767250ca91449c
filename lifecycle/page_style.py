"""The one style sheet of every page: light, dark and printed, on a phone and on a desk. Colours are written here once.

Text has a contrast of at least 4.5 to its background, marks of charts at least 3, in both schemes.
"""

import base64
import hashlib
from typing import Final

LIGHT: Final = {
    "back": "#fff",
    "text": "#1c2024",
    "soft": "#57606a",
    "line": "#d8dee4",
    "band": "#f5f7f9",
    "before": "#868f99",
    "one": "#1f6feb",
    "two": "#c2410c",
    "three": "#15803d",
    "four": "#7e22ce",
    "good": "#15803d",
    "bad": "#b91c1c",
}
DARK: Final = {
    "back": "#14171a",
    "text": "#e6e9ec",
    "soft": "#9aa5b1",
    "line": "#343b42",
    "band": "#1c2126",
    "before": "#76818c",
    "one": "#6ea8fe",
    "two": "#fb923c",
    "three": "#4ade80",
    "four": "#c084fc",
    "good": "#4ade80",
    "bad": "#f87171",
}


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())


STYLE: Final = f"""
:root{{color-scheme:light dark;{_variables(LIGHT)}}}
@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}
*{{box-sizing:border-box}}body{{margin:0 auto;max-width:74rem;padding:1.5rem 1rem 4rem;background:var(--back);
color:var(--text);font:1rem/1.55 system-ui,sans-serif;overflow-wrap:anywhere}}
h1{{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}}h2{{font-size:1.2rem;margin:2.4rem 0 .6rem}}
h3{{font-size:1rem;margin:1.2rem 0 .2rem}}p{{margin:.5rem 0;max-width:46rem}}
.soft{{color:var(--soft)}}.good{{color:var(--good);font-weight:600}}.bad{{color:var(--bad);font-weight:600}}
.verdict{{border-left:.35rem solid var(--before);background:var(--band);padding:.8rem 1rem;margin:0 0 1rem}}
.verdict.good{{border-color:var(--good)}}.verdict.bad{{border-color:var(--bad)}}
.verdict p{{font-weight:400;max-width:60rem;color:var(--text);margin:.2rem 0}}
.verdict p:first-child{{font-size:1.12rem;font-weight:600}}
.figures{{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,10.5rem),1fr));gap:.6rem;margin:.6rem 0}}
.figures div{{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem}}
.figures dt{{color:var(--soft);font-size:.85rem}}
.figures dd{{margin:0;font-size:1.3rem;line-height:1.4;font-variant-numeric:tabular-nums}}
.figures dd.soft{{font-size:.85rem}}
.charts{{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,30rem),1fr));gap:.4rem 2rem}}
.small{{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem 1.6rem}}
.wide{{overflow-x:auto}}table{{border-collapse:collapse;min-width:min(100%,22rem);font-size:.92rem}}
th,td{{padding:.32rem .8rem .32rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
overflow-wrap:normal;unicode-bidi:isolate}}td{{max-width:24rem;overflow-wrap:break-word}}
th{{color:var(--soft);font-weight:600;vertical-align:bottom;white-space:nowrap}}
.many th{{white-space:normal}}.many td,td.number{{white-space:nowrap}}.many table{{font-size:.88rem}}
.many td:first-child,.many th:first-child{{position:sticky;left:0;min-width:6rem;max-width:11rem;
white-space:normal;background:var(--back)}}
tbody tr:hover,.many tbody tr:hover td{{background:var(--band)}}
td.number,th.number{{text-align:right;font-variant-numeric:tabular-nums}}
summary{{cursor:pointer;color:var(--soft);padding:.3rem 0}}
svg{{display:block;width:100%;max-width:38rem;height:auto;margin:.5rem 0}}
svg text{{fill:var(--soft);font:12.5px system-ui,sans-serif}}svg .strong{{fill:var(--text)}}
svg .one{{fill:var(--one)}}svg .two{{fill:var(--two)}}svg .three{{fill:var(--three)}}svg .four{{fill:var(--four)}}
figure{{margin:0}}figcaption{{color:var(--soft);font-size:.9rem;max-width:38rem;
margin-bottom:.8rem}}
@media print{{body{{max-width:none;padding:0;font-size:.8rem}}.wide{{overflow:visible}}.charts{{display:block}}
.small{{grid-template-columns:1fr 1fr}}table{{font-size:.72rem}}th{{white-space:normal}}
tr,figure,.figures div,.verdict{{break-inside:avoid}}h2,h3{{break-after:avoid}}
.many td:first-child,.many th:first-child{{position:static}}.figures,.verdict{{print-color-adjust:exact}}
details::details-content{{content-visibility:visible;display:block;height:auto}}}}
"""
# what a browser may do with a page: nothing but apply this very style sheet
POLICY: Final = (
    "default-src 'none';base-uri 'none';form-action 'none';"
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
