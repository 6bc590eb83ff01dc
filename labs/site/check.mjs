// Checks the site that `assize serve LEDGER` shows, in headless Chromium: links, filter, sort, search, comparison, keyboard, both themes,
// 360 pixels, print, without script, no foreign request, axe-core, valid HTML. Exits with 1 and says what is
// wrong; with 3 when the browser does not start.
//   node check.mjs ASSIZE LEDGER... [--shots FOLDER]     the first ledger is checked page by page, all of them by page type
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { HtmlValidate } from "html-validate";
import { chromium } from "playwright-core";

const words = process.argv.slice(2);
const at = words.indexOf("--shots");
const shots = at < 0 ? null : words.splice(at, 2)[1];
const [assize, ...ledgers] = words;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wrong = [];
// Copies of the pages that were crawled, and their addresses.
const data = mkdtempSync(join(tmpdir(), "assize-check-"));
const names = new Map();
const counts = { pages: 0, links: 0, axe: 0 };
const check = (good, text) => { if (!good) wrong.push(text); };

const rules = {
  extends: ["html-validate:standard", "html-validate:document"],
  rules: {
    // Matters of style, not of the standard.
    "long-title": "off", "no-trailing-whitespace": "off", "void-style": "off", "attr-quotes": "off", "doctype-style": "off",
    "attribute-boolean-style": "off", "require-sri": "off", "no-inline-style": "error", "no-implicit-button-type": "error", "prefer-native-element": "off",
  },
};
const validator = new HtmlValidate(rules);

async function serve(ledger) {
  const child = spawn(assize, ["serve", ledger], { stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => resolve(String(data).trim()));
    child.on("exit", (code) => reject(new Error(`assize serve ended with ${code}`)));
  });
  return { address, stop: () => child.kill("SIGINT") };
}

const links = (html) => [...html.matchAll(/ (?:href|src)="([^"]*)"/g)].map(([, link]) => link.replaceAll("&amp;", "&"));
const ids = (html) => new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id));

// Every page that can be reached: valid, and its links lead somewhere.
async function crawl(root) {
  const pages = new Map();
  const waiting = [`${root}index.html`, `${root}404.html`];
  const wanted = [];
  while (waiting.length) {
    const address = waiting.pop();
    if (pages.has(address)) continue;
    const answer = await fetch(address);
    check(answer.ok, `${address}: ${answer.status}`);
    const text = await answer.text();
    const odd = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/.exec(text);
    check(!odd, `${address}: holds U+${odd?.[0].codePointAt(0).toString(16).padStart(4, "0")} at ${odd?.index}`);
    const isPage = (answer.headers.get("content-type") ?? "").startsWith("text/html");
    pages.set(address, isPage ? ids(text) : null);
    if (!isPage) continue;
    counts.pages += 1;
    const file = `${counts.pages}.html`;
    writeFileSync(join(data, file), text);
    names.set(file, address);
    const report = await validator.validateString(text, address);
    for (const message of report.results.flatMap((result) => result.messages).slice(0, 3)) {
      wrong.push(`${address}: HTML ${message.line}:${message.column} ${message.ruleId}: ${message.message}`);
    }
    for (const link of links(text)) {
      const target = new URL(link, address);
      const isLink = new RegExp(`<a [^>]*href="${link.replaceAll("&", "&amp;").replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}"`).test(text);
      if (target.origin !== new URL(root).origin) { check(isLink, `${address}: loads ${link}`); continue; }
      counts.links += 1;
      wanted.push([address, target.href]);
      const plain = target.href.split("#")[0];
      if (!pages.has(plain)) waiting.push(plain);
    }
  }
  for (const [address, target] of wanted) {
    const [plain, fragment] = target.split("#");
    const there = pages.get(plain);
    check(!fragment || there?.has(decodeURIComponent(fragment)), `${address}: nothing at ${target}`);
  }
  return [...pages.keys()].filter((address) => pages.get(address));
}

// The same pages by the checker of the W3C, which knows the whole standard. It is a Java program.
function w3c() {
  const resolve = createRequire(import.meta.url).resolve;
  const jar = resolve("vnu-jar/build/dist/vnu.jar");
  if (!existsSync(jar) || spawnSync("java", ["-version"]).status !== 0) return "skipped, for want of Java";
  const ran = spawnSync("java", ["-Xmx1g", "-jar", jar, "--errors-only", "--format", "json", data], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const { messages } = JSON.parse(ran.stderr);
  for (const { url, lastLine, lastColumn, message } of messages) {
    wrong.push(`${names.get(url?.split("/").at(-1)) ?? url}: W3C ${lastLine}:${lastColumn}: ${message}`);
  }
  return `${names.size} pages`;
}

const kind = (path) => path.replace(/\/page-\d+/, "/page").replace(/-\d+\.html$/, ".html")
  .replace(/^guidelines\/[^/]+\/[^/]+\/(capabilities|compare|programs)\/.*/, "guidelines/$1").replace(/^guidelines\/[^/]+\/[^/]+\//, "guidelines/")
  .replace(/^(reports|products)\/.+\/index\.html/, "$1/one");

async function open(browser, options, address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const origin = new URL(address).origin;
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push(`${address}: console: ${message.text()}`); });
  page.on("pageerror", (error) => wrong.push(`${address}: script: ${error}`));
  await context.route("**", (route) => {
    const foreign = new URL(route.request().url()).origin !== origin;
    if (foreign) { wrong.push(`${address}: asks for ${route.request().url()}`); return route.abort(); }
    return route.continue();
  });
  await page.goto(address);
  return { page, close: () => context.close() };
}

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`), fullPage: false });
}

async function looks(browser, name, address) {
  for (const colorScheme of ["light", "dark"]) {
    const { page, close } = await open(browser, { colorScheme, bypassCSP: true }, address);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    counts.axe += 1;
    for (const violation of violations) {
      const nodes = violation.nodes.slice(0, 2).map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join("; ");
      wrong.push(`${address} (${colorScheme}): axe ${violation.id}: ${violation.help}: ${nodes}`);
    }
    await shot(page, `${name}-${colorScheme}`);
    await close();
  }
  const narrow = await open(browser, { viewport: { width: 360, height: 740 } }, address);
  const width = await narrow.page.evaluate(() => document.scrollingElement.scrollWidth);
  check(width <= 360, `${address}: ${width} pixels wide on a screen of 360`);
  await shot(narrow.page, `${name}-360`);
  await narrow.page.emulateMedia({ media: "print" });
  check(!(await narrow.page.isVisible("header.top")), `${address}: the navigation is printed`);
  await narrow.close();
  const { page, close } = await open(browser, { javaScriptEnabled: false }, address);
  check(await page.isVisible("h1"), `${address}: no heading without script`);
  for (const selector of [".filter", "#search", "#compare", ".theme"]) {
    for (const element of await page.$$(selector)) check(!(await element.isVisible()), `${address}: ${selector} is shown without script`);
  }
  await close();
}

const column = (page, table, n) => page.$$eval(`${table} tbody tr:not([hidden])`, (rows, n) => rows.map((row) => row.cells[n].textContent.trim()), n);

async function works(browser, root) {
  const index = await (await fetch(`${root}api/v1/index.json`)).json();
  const guideline = index.guidelines.find((one) => index.reports.some((report) => report.page.startsWith(`reports/${one.id}/`)));
  // Sort and filter.
  const address = root + guideline.page;
  let { page, close } = await open(browser, {}, address);
  const head = page.locator("#capability-table thead th").first();
  const before = await column(page, "#capability-table", 0);
  await head.locator("button").click();
  check((await head.getAttribute("aria-sort")) === "ascending", `${address}: aria-sort is not set`);
  const up = await column(page, "#capability-table", 0);
  const sorted = [...up].sort(new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare);
  check(JSON.stringify(up) === JSON.stringify(sorted) && up.length === before.length, `${address}: not sorted`);
  await head.locator("button").press("Enter");
  check((await head.getAttribute("aria-sort")) === "descending", `${address}: not sorted downwards by keyboard`);
  check((await column(page, "#capability-table", 0))[0] === up.at(-1), `${address}: not turned round`);
  const word = up[0].split(/\s+/).at(-1);
  await page.fill('.filter[data-for="capability-table"] input', word);
  const left = await column(page, "#capability-table", 0);
  check(left.length > 0 && left.length < up.length && left.every((text) => text.includes(word)), `${address}: the filter leaves ${left.length} of ${up.length}`);
  check(/ of /.test(await page.textContent('.filter[data-for="capability-table"] output')), `${address}: the filter does not say what it did`);
  await close();
  // Keyboard: the first stop is the way past the navigation; focus can be seen.
  ({ page, close } = await open(browser, {}, `${root}index.html`));
  await page.keyboard.press("Tab");
  check((await page.evaluate(() => document.activeElement.textContent)) === "Skip to content", "the first stop is not the skip link");
  await page.keyboard.press("Enter");
  check((await page.evaluate(() => document.activeElement.id)) === "main", "the skip link does not lead to the content");
  const seen = new Set();
  for (let n = 0; n < 60; n += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return { name: document.activeElement.outerHTML.slice(0, 80), shown: style.outlineStyle !== "none" || document.activeElement === document.body };
    });
    check(stop.shown, `focus cannot be seen on ${stop.name}`);
    seen.add(stop.name);
  }
  check(seen.size > 10, `only ${seen.size} places can be reached with the keyboard`);
  // Search.
  const product = index.reports[0].product;
  await page.fill("#q", product);
  await page.waitForSelector("#hits a");
  check((await page.textContent("#hits")).includes(product), `the search does not find ${product}`);
  await page.press("#q", "Enter");
  await page.waitForURL((url) => !url.pathname.endsWith("/index.html") || url.pathname.split("/").length > 2);
  // Theme: turned by the button, and kept.
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.click(".theme");
  const dark = await background();
  check(light !== dark, "the button does not change the theme");
  await page.reload();
  check((await background()) === dark, "the theme is not kept");
  await close();
  // Any two reports.
  if (index.reports.length > 1) {
    ({ page, close } = await open(browser, {}, `${root}compare.html`));
    await page.waitForSelector("#compare:not([hidden])");
    const [one, other] = [index.reports.at(-1), index.reports.at(-2)];
    await page.fill("#one", one.id);
    await page.fill("#other", other.id);
    await page.click("#compare button");
    await page.waitForSelector("#result table");
    const text = await page.textContent("#result");
    check(text.includes(one.id) && Object.keys(one.verdicts).every((name) => text.includes(name)), "the comparison does not show both reports");
    await shot(page, "compare-any");
    await close();
  }
}

if (shots) mkdirSync(shots, { recursive: true });
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
let browser;
try {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
} catch (error) {
  console.log(`the browser does not start: ${String(error).split("\n")[0]}`);
  process.exit(3);
}
try {
  for (const [n, ledger] of ledgers.entries()) {
    const { address, stop } = await serve(ledger);
    try {
      const index = await (await fetch(`${address}api/v1/index.json`)).json();
      const revoked = index.reports.find((report) => report.standing === "revoked");
      const some = [
        "index.html", "products/index.html", "compare.html", "worksheets/synthetic.html",
        ...index.guidelines.map((one) => one.page.replace("index.html", "products.html")),
        ...(revoked ? [revoked.page, revoked.page.replace(/^reports\/[^/]+\/[^/]+/, "products").replace(/[^/]+\/index/, "index")] : []),
      ];
      const pages = n === 0 ? await crawl(address) : some.map((path) => address + path);
      const kinds = new Map();
      for (const page of pages) {
        const path = page.slice(address.length);
        // Of each kind the one with the longest path, for the least likely case; of reports and guidelines the first as well.
        const name = kind(path);
        if (!kinds.has(name) || kinds.get(name).length < page.length) kinds.set(name, page);
      }
      for (const [name, page] of kinds) {
        const answer = await fetch(page);
        if (answer.ok) await looks(browser, `${n}-${name}`, page);
      }
      console.log(`${ledger}: ${pages.length} pages, of ${kinds.size} kinds: ${[...kinds.keys()].sort().join(", ")}`);
      if (n === 0) await works(browser, address);
    } finally {
      stop();
    }
  }
  console.log(`checker of the W3C: ${w3c()}`);
} finally {
  await browser.close();
  rmSync(data, { recursive: true, force: true });
}
for (const text of [...new Set(wrong)].slice(0, 60)) console.log(`wrong: ${text}`);
console.log(`${counts.pages} pages valid and linked (${counts.links} links), ${counts.axe} pages in one theme with axe-core, ${wrong.length} problems`);
process.exit(wrong.length ? 1 : 0);
