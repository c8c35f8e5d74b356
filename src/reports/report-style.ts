/** The style of the report: colours for light and dark, also used by the charts, and boxes that print well. */
export const STYLE = `
:root{color-scheme:light dark;--page:#f5f6f8;--card:#ffffff;--ink:#1c2128;--muted:#626c78;--line:#dfe3e8;--accent:#3a6fd8;--kept:#2c9c6a;--changed:#d39026;--dropped:#cc4b4b;--user:#e8effc;--agent:#f0f2f4}
@media(prefers-color-scheme:dark){:root{--page:#111418;--card:#1a1e24;--ink:#e4e8ed;--muted:#97a1ad;--line:#2e353e;--accent:#6c9bf5;--kept:#4cc38a;--changed:#e6ac4f;--dropped:#ec7272;--user:#22304a;--agent:#252b33}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:1120px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
h2{font-size:16px;margin:0 0 12px}
p{margin:0 0 12px}
.lead,.note{color:var(--muted)}
.note{font-size:13px;margin:8px 0 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin-top:16px;min-width:0}
.grid{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));margin-top:16px}
.grid .card{margin:0}
.grid .card:last-child:nth-child(odd){grid-column:1/-1}
.tiles{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));margin-top:20px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tile b{display:block;font-size:22px;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{color:var(--muted);font-size:13px}
svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto}
.scroll svg{min-width:720px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--muted);font-weight:500}
tr:last-child td{border-bottom:0}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.examples{columns:2 440px;column-gap:16px;margin-top:16px}
.example{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;margin:0 0 16px;break-inside:avoid}
.example header{color:var(--muted);font-size:12px;margin-bottom:10px;overflow-wrap:anywhere}
.example code{font-size:12px}
.message{max-width:86%;width:fit-content;border-radius:12px;padding:7px 12px;margin:6px 0;background:var(--agent);white-space:pre-wrap;overflow-wrap:anywhere;font-size:14px}
.message i{display:block;font-style:normal;font-size:11px;color:var(--muted)}
.user{background:var(--user);margin-left:auto;border-bottom-right-radius:3px}
.assistant{border-bottom-left-radius:3px}
.system,.tool{max-width:100%;width:auto;background:none;border:1px dashed var(--line);font-size:13px;color:var(--muted)}
.gap{text-align:center;color:var(--muted);font-size:12px;margin:8px 0}
.unlearned{opacity:.65}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--muted:#444;--line:#bbb;--accent:#3a6fd8;--kept:#2c9c6a;--changed:#d39026;--dropped:#cc4b4b;--user:#e8effc;--agent:#f0f2f4}body{font-size:11px}.card{break-inside:avoid}.example{break-inside:auto}.grid{grid-template-columns:1fr 1fr}.examples{columns:2}.scroll svg{min-width:0}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
`;
