// Line coverage per layer, as docs/coverage.md, from the lcov of cargo-llvm-cov or cargo-tarpaulin.
// node scripts/coverage.mjs TOOL FILE
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const AIM_PERCENT = 90;
const AIMED_AT = ["domain", "service", "store", "auth"];

const [tool, file] = process.argv.slice(2);

// A module of tests at the end of a file is no part of what is to be covered.
const endOfCode = (path) => {
    const text = readFileSync(path, "utf8");
    const tests = text.search(/^#\[cfg\(test\)\]\n(pub |pub\(\w+\) )?mod \w+ \{/m);
    return tests < 0 ? Infinity : text.slice(0, tests).split("\n").length;
};

// lcov: "SF:path", then "DA:line,times" for each line that has code.
const files = [];
for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line.startsWith("SF:")) {
        const path = relative(process.cwd(), line.slice(3));
        files.push({ path, end: endOfCode(path), lines: 0, covered: 0 });
    } else if (line.startsWith("DA:")) {
        const [at, times] = line.slice(3).split(",").map(Number);
        const last = files.at(-1);
        if (at < last.end) {
            last.lines += 1;
            if (times > 0) last.covered += 1;
        }
    }
}

const layers = new Map();
for (const { path, lines, covered } of files) {
    const layer = path.match(/^server\/src\/([a-z_]+)/)?.[1];
    // Tests are not what is to be covered.
    if (!layer || /\/(tests|conformance|testing)(\/|\.rs)/.test(path)) continue;
    const sum = layers.get(layer) ?? { lines: 0, covered: 0, files: [] };
    sum.lines += lines;
    sum.covered += covered;
    sum.files.push({ path, lines, covered });
    layers.set(layer, sum);
}
if (layers.size === 0) throw new Error(`${file} tells of no file of the service`);

const percent = ({ covered, lines }) => (lines === 0 ? 100 : (100 * covered) / lines);
const verdict = (name, sum) => (AIMED_AT.includes(name) ? (percent(sum) >= AIM_PERCENT ? "yes" : "**no**") : "");
const all = [...layers.values()].reduce((a, b) => ({ lines: a.lines + b.lines, covered: a.covered + b.covered }), { lines: 0, covered: 0 });
const row = (name, sum, reached) => `| ${name} | ${sum.lines} | ${sum.covered} | ${percent(sum).toFixed(1)} % | ${reached} |`;
const worst = [...layers.values()]
    .flatMap((sum) => sum.files)
    .filter((f) => f.lines >= 10)
    .sort((a, b) => percent(a) - percent(b))
    .slice(0, 10);

console.log(`# Test coverage

Written by \`./scripts/test.sh --coverage\` on ${new Date().toISOString().slice(0, 10)}, by ${tool}, over the tests of the service. Lines that have code and that ran;
tests themselves are not counted. The aim is ${AIM_PERCENT} % in ${AIMED_AT.join(", ")}.

| layer | lines | covered | | aim reached |
|---|---|---|---|---|
${[...layers].sort().map(([name, sum]) => row(name, sum, verdict(name, sum))).join("\n")}
${row("**all**", all, "")}

The least covered files of ten lines or more:

| file | lines | |
|---|---|---|
${worst.map((f) => `| \`${f.path}\` | ${f.lines} | ${percent(f).toFixed(1)} % |`).join("\n")}`);
