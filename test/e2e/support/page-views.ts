/** The page of the cache in a browser: its views, and the rows of its tables as text. */
import type { Browser, Page } from 'playwright-core';
import { openPage, type OpenedPage, type PageOptions } from '../../support/browser.js';

/** The texts of a row by the labels of its columns. */
export type Row = Readonly<Record<string, string>>;

/** Opens the page of an instance and signs in. */
export async function openSignedIn(
  browser: Browser,
  url: string,
  token: string,
  options?: PageOptions,
): Promise<OpenedPage> {
  const opened = await openPage(browser, `${url}/tidemark/`, options);
  await opened.page.getByLabel('Token').fill(token);
  await opened.page.keyboard.press('Enter');
  await opened.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  return opened;
}

/** Shows the view of a hash, such as `#/queries`, once its data have come. */
export async function showView(page: Page, hash: string, title: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  await page.locator('.waiting').waitFor({ state: 'detached' });
}

export function mainText(page: Page): Promise<string> {
  return page.getByRole('main').innerText();
}

/** The rows of the table with the label as they are now; none while there is no such table. */
export async function rowsOf(page: Page, label: string): Promise<readonly Row[]> {
  const rows = await page.evaluate(`[...document.querySelectorAll('table')]
    .filter((table) => table.getAttribute('aria-label') === ${JSON.stringify(label)})
    .flatMap((table) => [...table.tBodies[0].rows])
    .filter((row) => !row.classList.contains('spacer'))
    .map((row) => Object.fromEntries([...row.cells].map((cell) =>
      [cell.dataset.label, cell.innerText.replace(/\\s+/g, ' ').trim()])))`);
  return rows as Row[];
}

/** The counts of the legend under "How requests were answered". */
export async function legendOf(page: Page): Promise<Readonly<Record<string, number>>> {
  const counts = await page.evaluate(`Object.fromEntries(
    [...document.querySelectorAll('.legend li')].map((item) => [
      item.querySelector('.legend-label').textContent,
      Number(item.lastElementChild.textContent.replaceAll(',', '')),
    ]))`);
  return counts as Record<string, number>;
}
