/** A real Chromium for tests of pages, without a window. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** `scripts/run-tests.mjs` makes sure of a Chromium. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumBinary(), args: ['--no-sandbox'] });
}

export interface OpenedPage {
  readonly page: Page;
  /** Errors of scripts and violations of the content security policy so far. */
  readonly faults: readonly string[];
}

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  /** In pixels. */
  readonly width?: number;
}

const POLICY_FAULT = 'content security policy violated: ';

/** A new window with its own cookies and storage. */
export async function openPage(
  browser: Browser,
  url: string,
  { colorScheme = 'light', width = 1_280 }: PageOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 860 } });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.text().startsWith(POLICY_FAULT)) faults.push(message.text());
  });
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error('${POLICY_FAULT}' + violatedDirective + ' ' + blockedURI));`,
  );
  await page.goto(url);
  return { page, faults };
}

interface AxeViolation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** The serious and critical faults of the page that axe-core finds. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  const violations: readonly AxeViolation[] = await page.evaluate(
    `${axe.source}; axe.run().then(({ violations }) => violations)`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}

function chromiumBinary(): string {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of PROGRAMS) {
      try {
        const path = join(folder, name);
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        continue;
      }
    }
  }
  throw new Error('No Chromium: install chromium, or name one in CHROMIUM');
}
