// Walks the review pages as people do, in headless Chromium, against a server that a test started. Standard input is one JSON
// object, see `task` below; standard output is one JSON object of what was seen, exit code 1 and a message when something is wrong.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { strict as assert } from "node:assert";

const require = createRequire(`${process.env.BONAFIDE_BROWSER_MODULES}/`);
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Where the pages are, who logs in, which session is walked through, and where screenshots go, if anywhere. */
const task = JSON.parse(readFileSync(0, "utf8"));
const PATIENCE_MILLIS = 60_000;
const seen = { pages: [], violations: [], overflows: [], errors: [], steps: [] };

const browser = await chromium.launch({
  executablePath: task.chromium,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});

/** A page of its own browser profile. What the console or the network complains about is kept. */
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MILLIS);
  page.on("console", (message) => {
    // What is refused on purpose is told by the browser, too.
    if (/status of (403|422)/.test(message.text())) return;
    if (message.type() === "error" || /content security policy/i.test(message.text())) seen.errors.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => seen.errors.push(`${page.url()}: ${error.message}`));
  return page;
};

const go = async (page, path, status = 200) => {
  const answer = await page.goto(task.url + path);
  assert.equal(answer.status(), status, path);
};

const login = async (page, name) => {
  await go(page, "/login");
  await page.fill("#name", name);
  await page.fill("#password", task.password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
};

/** Serious and critical findings of axe, and text that leaves its box. */
const check = async (page, name) => {
  // The page's own policy forbids foreign scripts; what the driver evaluates is not bound by it.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return result.violations
      .filter((violation) => ["serious", "critical"].includes(violation.impact))
      .map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3).map((node) => `${node.target}: ${node.failureSummary}`) }));
  });
  for (const violation of found) seen.violations.push({ page: name, ...violation });
  const wide = await page.evaluate(() => {
    const scrolls = (element) => element && element !== document.documentElement && (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const outside = [...document.querySelectorAll("body *")].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.right > document.documentElement.clientWidth + 1 && !scrolls(element.parentElement);
    });
    return document.documentElement.scrollWidth > document.documentElement.clientWidth + 1
      ? outside.slice(0, 3).map((element) => `${element.tagName}.${element.className.baseVal ?? element.className}: ${element.textContent.trim().slice(0, 40)}`)
      : [];
  });
  if (wide.length > 0) seen.overflows.push({ page: name, wide });
  seen.pages.push(name);
};

const shoot = async (page, name, options = {}) => {
  if (task.screenshots) await page.screenshot({ path: `${task.screenshots}/${name}.png`, ...options });
};

const step = (what) => seen.steps.push(what);

/** Every page in both themes, both languages, wide and narrow. */
const sweep = async (name, paths) => {
  for (const language of ["en", "de"]) {
    for (const theme of ["light", "dark"]) {
      const page = await open({ locale: language === "de" ? "de-DE" : "en-GB", colorScheme: theme });
      await login(page, name);
      for (const [label, path] of paths) {
        await go(page, path);
        for (const [size, width] of [["wide", 1280], ["narrow", 390]]) {
          await page.setViewportSize({ width, height: 900 });
          await check(page, `${label} ${language} ${theme} ${size}`);
          await shoot(page, `${label}-${language}-${theme}-${size}`, { fullPage: true });
        }
        await page.setViewportSize({ width: 1280, height: 900 });
      }
      await page.context().close();
    }
  }
};

/** The journey of a reviewer. */
const journey = async () => {
  const page = await open();
  await go(page, "/");
  assert.ok(page.url().includes("/login"), "who is not logged in is asked to");
  await check(page, "login");
  await page.fill("#name", task.reviewer);
  await page.fill("#password", "not the password, but long");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#login-problem");
  step("a wrong password is refused");
  await login(page, task.reviewer);
  await page.waitForSelector("#inbox");
  step("inbox");
  // By keyboard: the first session, and into it.
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/sessions\//);
  await go(page, `/sessions/${task.session}`);
  await page.waitForSelector("#timeline");
  step("session");
  // The cursor follows the pointer, and shows values.
  const picture = page.locator("#timeline-picture");
  await picture.scrollIntoViewIfNeeded();
  const place = await picture.boundingBox();
  await page.mouse.move(place.x + place.width * 0.3, place.y + 30);
  await page.mouse.down();
  await page.mouse.move(place.x + place.width * 0.6, place.y + 30, { steps: 8 });
  await page.mouse.up();
  await page.waitForFunction(() => {
    const at = document.querySelector('#timeline-readout [data-lane="score"]');
    return at && at.textContent.trim() !== "" && !document.querySelector("#timeline-readout").hidden;
  });
  step("the timeline answers the pointer");
  await shoot(page, "journey-session");
  const segment = page.locator(".segment").first();
  await segment.locator("summary").click();
  await segment.locator("textarea").fill("Another face from here on, seen in the stills.");
  await segment.locator('button[value="confirmed"]').click();
  await page.waitForSelector(".segment .mark.confirmed");
  step("segment confirmed");
  if (task.stills) {
    const still = page.locator(".segment img").first();
    await still.waitFor();
    const size = await still.evaluate((image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight]));
    assert.ok(size[0] > 50 && size[1] > 50, `a still is a picture: ${size}`);
    assert.ok(await still.getAttribute("alt"), "a still has words");
    step("stills");
  }
  return page;
};

/** The comparison of faces, by whoever may. */
const compare = async () => {
  if (!task.compare) return;
  const page = await open();
  await login(page, task.investigator);
  await go(page, task.compare);
  await check(page, "compare");
  await shoot(page, "journey-compare", { fullPage: true });
  step("compare");
  const stranger = await open();
  await login(stranger, task.reviewer);
  const answer = await stranger.goto(task.url + task.compare);
  assert.equal(answer.status(), 403, "a reviewer without the permission does not compare");
  await check(stranger, "forbidden");
  step("comparing needs the permission");
};

const decide = async (page, name) => {
  await login(page, name);
  await go(page, `/sessions/${task.session}`);
  await page.locator('form.decision input[value="decline"]').check();
  await page.fill("#decision-note", "The face changes, and the stills show it.");
  await page.locator("form.decision button.primary").click();
  await page.waitForSelector(".history li");
};

/** Two people decide, and the report says so. */
const decisions = async () => {
  const first = await open();
  await decide(first, task.reviewer);
  step("first decision");
  const second = await open();
  await decide(second, task.second);
  const people = await second.locator(".history").innerText();
  assert.ok(people.includes(task.reviewer) && people.includes(task.second), people);
  step("second reviewer decides");
  if (task.report) {
    for (const path of task.report) {
      const answer = await second.request.get(task.url + path);
      assert.equal(answer.status(), 200, path);
      const body = await answer.body();
      assert.ok(body.length > 1_000, `${path} has ${body.length} bytes`);
      step(`report ${path} ${answer.headers()["content-type"]}`);
    }
  }
};

/** What an administrator sees, and the check of the audit log. */
const administration = async () => {
  const page = await open();
  await login(page, task.admin);
  await go(page, "/admin/audit");
  await page.locator('form[action="/admin/audit/check"] button').click();
  await page.waitForSelector(".state.good, [role=status]");
  step("audit log checked");
};

/** Reading without scripts. */
const withoutScripts = async () => {
  const page = await open({ javaScriptEnabled: false });
  await login(page, task.reviewer);
  assert.ok((await page.locator("#inbox a.open").count()) > 0, "the inbox can be read");
  await go(page, `/sessions/${task.session}`);
  const text = await page.locator("main").innerText();
  assert.ok(text.length > 500, "the session can be read");
  assert.ok((await page.locator("#timeline svg").count()) > 0, "the timeline is there");
  await page.locator(".zoom a:not([aria-disabled])").first().click();
  assert.ok(page.url().includes("from="), "the timeline can be zoomed");
  step("read without scripts");
};

try {
  await journey();
  await compare();
  await decisions();
  await administration();
  await withoutScripts();
  for (const [name, paths] of task.sweep) await sweep(name, paths);
} catch (error) {
  seen.failure = error.stack;
}
await browser.close();
process.stdout.write(`${JSON.stringify(seen, null, 1)}\n`);
const isGood = !seen.failure && seen.violations.length === 0 && seen.overflows.length === 0 && seen.errors.length === 0;
process.exitCode = isGood ? 0 : 1;
