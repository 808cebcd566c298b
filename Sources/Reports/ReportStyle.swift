/// How the HTML report looks: light, dark and on paper, without anything from elsewhere.
let reportStyle = """
    :root{color-scheme:light dark;--page:#fff;--text:#1c2024;--faint:#5c6570;--line:#d5d9de;--soft:#f3f5f7;\
    --good:#17692f;--wait:#8a5300;--bad:#b3261e;--link:#0b57d0;--v0:#2f6fd0;--v1:#0f7b6c;--v2:#7b4fbf;--v3:#a8501c;\
    --v4:#50707c;--v5:#9c3f72;--gap:#8d949c;--heldbar:#8a5300;--deniedbar:#b3261e;--gatebar:#17692f}
    @media(prefers-color-scheme:dark){:root{--page:#14171a;--text:#e6e9ec;--faint:#a0a8b1;--line:#3a4148;\
    --soft:#1e2328;--good:#6fce8b;--wait:#f0b45a;--bad:#ff8a80;--link:#8ab4f8;--v0:#3b78d8;--v1:#1a8a79;--v2:#8a63cc;\
    --v3:#b5622e;--v4:#5f808c;--v5:#ab5383;--gap:#6b737b;--heldbar:#94600f;--deniedbar:#b3382f;--gatebar:#2c7a45}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",\
    sans-serif}
    header,main,footer{max-width:86rem;margin:0 auto;padding:0 1.5rem}
    h1{font-size:1.7rem;margin:1.5rem 0 .25rem}
    h2{font-size:1.25rem;margin:2.2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
    h3{font-size:1.05rem;margin:1.4rem 0 .4rem}
    a{color:var(--link)}
    p{max-width:60rem;margin:.4rem 0 .8rem}
    .faint{color:var(--faint)}
    .good{color:var(--good)}.wait{color:var(--wait)}.bad{color:var(--bad)}
    .verdict{font-weight:600}
    .skip{position:absolute;left:-100rem}
    .skip:focus{left:1rem;top:.5rem;background:var(--page);padding:.3rem .6rem;z-index:1}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;width:100%;font-size:.86rem}
    caption{text-align:left;color:var(--faint);padding:.2rem 0 .5rem}
    th,td{text-align:left;vertical-align:top;padding:.3rem .55rem;border-bottom:1px solid var(--line);\
    overflow-wrap:anywhere}
    #decisions td{overflow-wrap:break-word;max-width:24rem}
    #decisions td.v,#decisions td:nth-child(3),#decisions td:nth-child(4),#decisions td:nth-child(8),\
    #decisions td:nth-child(9){white-space:nowrap}
    td:first-child{min-width:5.5rem}td:nth-child(2){min-width:7rem}
    thead th{background:var(--soft);white-space:nowrap}
    th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}
    th[aria-sort=ascending] button::after{content:" \\2191"}
    th[aria-sort=descending] button::after{content:" \\2193"}
    time,.mono,td.v{font-variant-numeric:tabular-nums;font-family:ui-monospace,"DejaVu Sans Mono",monospace;\
    font-size:.95em}
    time{white-space:nowrap}
    td.why{min-width:16rem}
    tr.allow .verdict{color:var(--good)}tr.hold .verdict{color:var(--wait)}tr.deny .verdict{color:var(--bad)}
    .filter{display:none;flex-wrap:wrap;gap:.5rem .9rem;align-items:end;background:var(--soft);padding:.7rem .8rem;\
    border:1px solid var(--line);border-radius:.4rem;margin:.6rem 0}
    .js .filter{display:flex}
    .filter label{display:flex;flex-direction:column;font-size:.8rem;color:var(--faint);gap:.15rem}
    input,select,.filter button{font:inherit;font-size:.9rem;color:var(--text);background:var(--page);\
    border:1px solid var(--faint);border-radius:.25rem;padding:.25rem .4rem;max-width:15rem}
    :focus-visible{outline:3px solid var(--link);outline-offset:1px}
    .js #decisions tbody tr{display:none}
    .js #decisions tbody tr.on{display:table-row}
    svg{display:block;width:100%;min-width:44rem;height:auto;margin:.3rem 0}
    svg text{font:11px ui-sans-serif,system-ui,"DejaVu Sans",sans-serif;fill:var(--text)}
    svg .axis{fill:var(--faint)}svg .rule{stroke:var(--line)}svg .name{font-size:12px}
    svg .on{fill:#fff}
    svg .s0{fill:var(--v0)}svg .s1{fill:var(--v1)}svg .s2{fill:var(--v2)}svg .s3{fill:var(--v3)}svg .s4{fill:var(--v4)}\
    svg .s5{fill:var(--v5)}
    svg .held{fill:var(--heldbar)}svg .denied{fill:var(--deniedbar)}svg .gate{fill:var(--gatebar)}svg .window{fill:var(--v0);\
    opacity:.55}svg .step{fill:var(--v2)}svg .rollout{fill:var(--v1)}svg .pause{fill:var(--heldbar);opacity:.85}\
    svg .gap{fill:var(--gap)}svg .act{fill:var(--v3)}svg .fail{fill:var(--deniedbar)}
    .facts{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.2rem;margin:.5rem 0}
    .facts dt{color:var(--faint)}.facts dd{margin:0;overflow-wrap:anywhere}
    .pages{display:none;gap:.6rem;align-items:center;margin:.6rem 0}
    .js .pages{display:flex}
    footer{margin-top:2.5rem;padding-bottom:2rem;color:var(--faint);font-size:.85rem}
    @media print{:root{color-scheme:light;--page:#fff;--text:#000;--faint:#444;--line:#bbb;--soft:#f0f0f0;--good:#17692f;\
    --wait:#8a5300;--bad:#b3261e;--link:#000;--v0:#2f6fd0;--v1:#0f7b6c;--v2:#7b4fbf;--v3:#a8501c;--v4:#50707c;\
    --v5:#9c3f72;--gap:#8d949c;--heldbar:#8a5300;--deniedbar:#b3261e;--gatebar:#17692f}
    @page{size:A4 landscape;margin:12mm}
    header,main,footer{max-width:none;padding:0}
    body{font-size:10pt}table{font-size:7.5pt}
    .js .filter,.js .pages,.skip{display:none}
    .js #decisions tbody tr{display:table-row}
    .js #decisions tbody tr.out{display:none}
    #decisions td,#decisions td:nth-child(n){overflow-wrap:anywhere;white-space:normal;max-width:none;min-width:0}td.why{min-width:0}
    tr,svg,.facts{break-inside:avoid}h2,h3{break-after:avoid}
    svg,svg *,th{print-color-adjust:exact;-webkit-print-color-adjust:exact}
    .scroll{overflow:visible}svg{min-width:0}}
    """
