// The Markdown of recorded experiments as elements: what their READMEs use, and no markup of others.

import { h } from "./dom.js";

/** Return elements; `picture` gives the address of a picture, null for what is not shown. */
export function markdown(text, picture) {
  const lines = text.split("\n");
  const blocks = [];
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) lines.shift();
    else if (line.startsWith("```")) blocks.push(code(lines));
    else if (line.startsWith("#")) blocks.push(heading(lines.shift(), picture));
    else if (line.startsWith("|")) blocks.push(table(take(lines, (each) => each.startsWith("|")), picture));
    else if (/^[-*] /.test(line)) blocks.push(list(take(lines, (each) => /^([-*] |\s+\S)/.test(each)), picture));
    else blocks.push(h("p", {}, inline(take(lines, (each) => each.trim() && !/^(```|#|\||[-*] )/.test(each)).join(" "), picture)));
  }
  return blocks;
}

function take(lines, fits) {
  const taken = [lines.shift()];
  while (lines.length && fits(lines[0])) taken.push(lines.shift());
  return taken;
}

function code(lines) {
  lines.shift();
  const taken = [];
  while (lines.length && !lines[0].startsWith("```")) taken.push(lines.shift());
  lines.shift();
  return h("pre", {}, h("code", {}, taken.join("\n")));
}

function heading(line, picture) {
  const level = line.match(/^#+/)[0].length;
  return h(level === 1 ? "h2" : "h3", {}, inline(line.slice(level).trim(), picture));
}

function table(lines, picture) {
  const rows = lines.map((line) => line.replace(/^\||\|\s*$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")));
  const cells = (row, tag) => h("tr", {}, row.map((cell) => h(tag, {}, inline(cell, picture))));
  const body = rows.slice(1).filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, cells(rows[0], "th")), h("tbody", {}, body.map((row) => cells(row, "td")))));
}

function list(lines, picture) {
  const items = [];
  for (const line of lines) {
    if (/^[-*] /.test(line)) items.push(line.slice(2));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return h("ul", {}, items.map((item) => h("li", {}, inline(item, picture))));
}

const INLINE = /!\[([^\]]*)\]\(([^)]+)\)|\[([^\]]*)\]\(([^)]+)\)|\*\*(.+?)\*\*|`([^`]+)`|\*([^*]+)\*/;

function inline(text, picture) {
  const parts = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    parts.push(rest.slice(0, found.index));
    const [whole, alt, source, words, , strong, literal, weak] = found;
    if (source !== undefined) {
      const address = picture(source);
      parts.push(address ? h("img", { src: address, alt, loading: "lazy" }) : alt);
    } else if (words !== undefined) parts.push(inline(words, picture)); // links lead out of the page
    else if (strong) parts.push(h("strong", {}, inline(strong, picture)));
    else if (literal) parts.push(h("code", {}, literal));
    else parts.push(h("em", {}, weak));
    rest = rest.slice(found.index + whole.length);
  }
  parts.push(rest);
  return parts;
}
