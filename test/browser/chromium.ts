import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import type { Result, RunOptions } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { hostileHost, ownedMark } from '../hostile/corpus.ts';

const commands = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const command = commands.find((name) => spawnSync(name, ['--version']).error === undefined);

/** Why these tests do not run here; with CI set they fail instead. */
export const skip =
  command !== undefined || process.env.CI ? false : 'no Chromium is installed (Debian: apt-get install chromium)';

/** A laptop, a narrow phone, a screen on a wall. */
export const widths = {
  laptop: { width: 1366, height: 768 },
  phone: { width: 360, height: 740 },
  wall: { width: 3840, height: 2160 },
} as const;

let shared: Promise<Browser> | undefined;
after(async () => (await shared)?.close());

function launch(): Promise<Browser> {
  assert.ok(command, 'Chromium must be installed where CI is set');
  const path = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim();
  // Its sandbox does not work for root, as in containers.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: path, args });
}

export type Watched = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Everything that no page of ours may do: errors, dialogs, requests to elsewhere, a script of somebody else that ran. */
  readonly troubles: () => Promise<readonly string[]>;
};

type Options = {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  /** Answers that are expected to be errors, which the browser tells as errors of the console. */
  readonly expected?: RegExp;
};

/** A page in a profile of its own, watched from the start. */
export async function openPage(address: string, options: Options = {}): Promise<Watched> {
  shared ??= launch();
  const { viewport = widths.laptop, colorScheme = 'light', expected } = options;
  const context = await (await shared).newContext({ viewport, colorScheme, baseURL: address });
  const page = await context.newPage();
  const seen: string[] = [];
  page.on('dialog', (dialog) => {
    seen.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected?.test(message.text())) seen.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== address) seen.push(`request: ${request.url()}`);
  });
  const troubles = async (): Promise<readonly string[]> => {
    const ran = await page.evaluate(`globalThis.${ownedMark}`);
    const foreign = await page.locator(`[src*="${hostileHost}"]`).count();
    return [
      ...seen,
      ...(ran === undefined ? [] : ['a foreign script ran']),
      ...(foreign > 0 ? ['foreign element'] : []),
    ];
  };
  return { page, context, troubles };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds that keeps somebody from using the page (impact serious or critical), as `rule: selector`. */
export async function axeTroubles(page: Page): Promise<readonly string[]> {
  // Evaluated by the debugger, so the page's own policy stays as strict as it is.
  await page.evaluate(`${axeSource};0`);
  const options: RunOptions = { resultTypes: ['violations'] };
  const violations = await page.evaluate<Result[]>(
    `axe.run(document, ${JSON.stringify(options)}).then((r) => r.violations)`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.slice(0, 5).map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
    );
}

/** Waits for an expression to hold. Asked again and again from outside: inside, the page's policy lets no text become a program. */
export async function untilTrue(page: Page, expression: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await page.waitForTimeout(50)) {
    if ((await page.evaluate(`Boolean(${expression})`)) === true) return;
  }
  throw new Error(`not within a minute: ${expression}`);
}

/** A page that shows what it asked for. */
export async function isLoaded(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor();
  await untilTrue(page, "!document.body.innerText.includes('Loading ')");
}
