#pragma once

namespace idv {

// Black on white, or the reverse; the one colour is for what is wrong. Below 60rem the rows of the
// tenants become paragraphs.
constexpr char kStatusPageStyle[] = R"(
:root{color-scheme:light dark;--paper:#fdfcfa;--ink:#1c1d1f;--pale:#5f6368;--line:#e3e0da;--wrong:#b3261e}
@media(prefers-color-scheme:dark){
:root{--paper:#161719;--ink:#e8e6e1;--pale:#a0a3a8;--line:#323438;--wrong:#ff8a7d}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:76rem;padding:1.25rem clamp(1rem,4vw,3rem) 4rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums lining-nums;overflow-wrap:break-word}
a{color:inherit;text-decoration-color:var(--pale);text-underline-offset:.2em}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:2px solid;outline-offset:3px}
header,nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;color:var(--pale);font-size:.875rem}
header{justify-content:space-between}
header p{margin:0}
header b{color:var(--ink)}
h1{margin:2.5rem 0 0;font-size:clamp(2.5rem,7vw,3.5rem);line-height:1.1;font-weight:600;letter-spacing:-.025em}
.verdict{margin:.5rem 0 0;font-size:1.25rem;line-height:1.4;max-width:42em}
.reasons{padding:0;list-style:none;max-width:48em}
.reasons li,.blame li{overflow-wrap:anywhere}
h2{margin:0 0 .5rem;font-size:1.0625rem;line-height:1.4;font-weight:600}
p,ul{margin:0}
.pale,small,dt{color:var(--pale)}
.wrong{color:var(--wrong);font-weight:600}
small{display:block;font-size:.8125rem;line-height:1.4}
.blame,.pair{display:grid;gap:2rem 3rem;margin:2.5rem 0 3.5rem}
.blame{grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr))}
.pair{gap:3rem}
.facts{columns:3 18rem;column-gap:3rem}
.facts section{break-inside:avoid;padding-bottom:2.5rem}
.pair section+section{margin-top:2.5rem}
.blame>section{border-top:2px solid;padding-top:.75rem}
.blame h2{margin:0;color:var(--pale);font-size:.875rem;font-weight:400}
.blame .word{font-size:1.375rem;line-height:1.35;font-weight:600}
.blame ul{padding:.375rem 0;list-style:none}
.blame li+li,.reasons li+li{margin-top:.25rem}
main>section{margin:3.5rem 0}
dl{margin:0;border-top:1px solid var(--line)}
dl div{display:flex;justify-content:space-between;gap:1.5rem;padding:.3125rem 0;border-bottom:1px solid var(--line)}
dt{flex:none}
dd{margin:0;min-width:0;text-align:right;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;border-top:1px solid var(--line)}
th,td{padding:.375rem 1.25rem .375rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:baseline}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--pale);font-size:.8125rem;font-weight:400;vertical-align:bottom;padding-bottom:.25rem}
tbody th{font-weight:600;overflow-wrap:anywhere}
.names tbody th{min-width:9rem;font-weight:400}
.names.short tbody th{min-width:0}
.number{text-align:right;white-space:nowrap}
thead .span{border-bottom:0;padding-bottom:0;text-align:right}
.tenants tbody th{min-width:7rem}
.tenants .wrong{white-space:nowrap}
.tenants .number{padding-right:1rem}
.bar{display:block;width:6rem;max-width:100%;height:3px;margin:.25rem 0 .125rem;background:var(--line)}
.bar i{display:block;height:100%;background:var(--pale)}
details{margin-top:1rem}
summary{cursor:pointer;padding:.5rem 0;text-decoration:underline;text-decoration-color:var(--pale);text-underline-offset:.2em}
@media(min-width:60rem){
.pair{grid-template-columns:repeat(3,1fr)}
.pair>:first-child{grid-column:span 2}}
@media(max-width:60rem){
th,td{padding-right:.75rem}
.names .number{white-space:normal}
.tenants,.tenants tbody{display:block}
.tenants thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.tenants tr{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:.75rem 0;border-bottom:1px solid var(--line)}
.tenants th,.tenants td{display:block;position:relative;padding:0;border:0}
.tenants th,.tenants .wide{flex:1 0 100%}
.tenants .wide{padding-left:6rem}
.tenants .wide small{line-height:1.5}
.tenants tbody .number{min-width:3.5rem;padding:0;text-align:left}
.tenants td::before{display:block;content:attr(data-of);color:var(--pale);font-size:.8125rem}
.tenants .wide::before{position:absolute;left:0;line-height:1.5rem}}
)";

}  // namespace idv
