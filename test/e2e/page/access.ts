/** Who may use the page, and who not. */
import { expect, it } from 'vitest';
import { accessibilityFaults, openPage } from '../../support/browser.js';
import { OtherSite } from '../support/other-site.js';
import { listOf, TOKEN, type PageStage } from './page-stage.js';

export function describePageAccess(stage: PageStage): void {
  it.each(['127.0.0.1', 'localhost'])(
    'a form and a script of a page on another port of %s cannot act',
    async (host) => {
      const list = listOf(await stage.createUser());
      await stage.cluster.instances[0].warm(list);
      const target = `${stage.cluster.instances[0].process.url}/tidemark/api/invalidate`;
      const body = '{"regions":[{"table":"public.users"}]}';
      const site = await OtherSite.start(target, body);
      // With the cookie of the session.
      const other = await stage.page.context().newPage();
      try {
        await other.goto(site.urlOn(host));
        const outcome = other.waitForResponse(target);
        await other.getByRole('button').click();
        expect((await outcome).status()).toBe(415);
        await other.goto(site.urlOn(host));
        const scripted = await other.evaluate(`Promise.allSettled([
          fetch('${target}', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '${body}' }),
          fetch('${target}', { method: 'POST', credentials: 'include', body: '${body}',
            headers: { 'content-type': 'application/json' } }),
        ]).then((all) => all.map(({ status }) => status))`);
        // The first is sent and its answer kept from the script; the second is not sent.
        expect(scripted).toEqual(['rejected', 'rejected']);
        expect((await stage.cluster.instances[0].get(list)).cache).toBe('hit');
      } finally {
        await other.close();
        await site.stop();
      }
    },
  );

  it('a wrong token is refused in words, five within a minute slow down, and the right one still works', async () => {
    const opened = await openPage(
      stage.browser,
      `${stage.cluster.instances[2].process.url}/tidemark/`,
    );
    const { page: fresh } = opened;
    const offer = async (token: string): Promise<number> => {
      const answer = fresh.waitForResponse((response) => response.url().endsWith('/api/session'));
      await fresh.getByLabel('Token').fill(token);
      await fresh.keyboard.press('Enter');
      return (await answer).status();
    };
    await fresh.getByText('Sign in with the token of the page').waitFor();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(await offer(`a-wrong-token-of-many-${attempt}`)).toBe(401);
      await fresh.getByRole('alert').filter({ hasText: 'The token is wrong.' }).waitFor();
    }
    expect(await offer('a-wrong-token-too-many')).toBe(429);
    await fresh.getByText(/wait \d+ s before the next attempt/).waitFor();
    expect(await accessibilityFaults(fresh)).toEqual([]);
    expect(await offer(TOKEN)).toBe(204);
    await fresh.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(opened.faults).toEqual([]);
    await fresh.context().close();
  });
}
