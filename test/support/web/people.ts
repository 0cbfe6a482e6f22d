import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import type { ServerProcess } from '../../../tools/server-process.ts';
import { type Visitor, visit } from './browser.ts';

export interface Someone extends Visitor {
  name: string;
  email: string;
  password: string;
}

/** Signs up on the page, as a person does. */
export async function signUp(
  browser: Browser,
  url: string,
  role: 'company' | 'applicant',
  name: string,
): Promise<Someone> {
  const visitor = await visit(browser, url);
  const { page } = visitor;
  const someone = { ...visitor, name, email: `${randomUUID()}@example.org`, password: randomUUID() };
  await page.getByRole('link', { name: 'Sign up' }).first().click();
  await page.getByLabel(role === 'company' ? 'a company that hires' : 'looking for a job').check();
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('E-mail address').fill(someone.email);
  await page.getByLabel('Password').fill(someone.password);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
  return someone;
}

/** Makes a user of a role that nobody can sign up with, as an operator does, who then logs in on the page. */
export async function appoint(
  browser: Browser,
  { url, dataDir }: ServerProcess,
  role: 'auditor' | 'admin',
  name: string,
): Promise<Someone> {
  const credentials = { email: `${randomUUID()}@example.org`, password: randomUUID() };
  const given = Object.entries({ role, 'display-name': name, ...credentials });
  const command = [
    'scripts/admin.ts',
    'create-user',
    ...given.flatMap(([key, value]) => [`--${key}`, value]),
  ];
  await promisify(execFile)(process.execPath, command, {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir },
  });
  const visitor = await visit(browser, url);
  await logIn(visitor.page, credentials);
  return { ...visitor, name, ...credentials };
}

/** Logs in on the page. Resolves once a page of those who are logged in is there. */
export async function logIn(page: Page, someone: Pick<Someone, 'email' | 'password'>): Promise<void> {
  await page.getByLabel('E-mail address').fill(someone.email);
  await page.getByLabel('Password').fill(someone.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('link', { name: 'Settings' }).waitFor();
}

/** Posts a job on the page. Resolves once the page of the job is there. */
export async function postJob(page: Page, title: string, held: 'group' | 'private' = 'group'): Promise<void> {
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await page.getByRole('link', { name: 'Post a job' }).click();
  await page.getByLabel('Title').fill(title);
  await page.getByLabel('Description').fill(`We look for somebody: ${title}`);
  await page.getByLabel(held === 'group' ? 'One group' : 'A private thread').check();
  await page.getByRole('button', { name: 'Post the job' }).click();
  await page.getByRole('heading', { name: title, level: 1 }).waitFor();
}

/** Finds a job by its title, applies for it, and opens the conversation. */
export async function applyFor(page: Page, title: string, coverLetter: string): Promise<void> {
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await page.getByLabel('Search jobs').fill(title);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: title }).click();
  await page.getByLabel('Cover letter').fill(coverLetter);
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByRole('link', { name: 'Open the conversation' }).click();
  await writing(page).waitFor();
}

export const writing = (page: Page) => page.getByLabel('Write a message');
export const history = (page: Page) => page.getByRole('region', { name: 'Messages' });
export const message = (page: Page, text: string) =>
  history(page).getByRole('article').filter({ hasText: text });

/** Writes a message and sends it with the keyboard. */
export async function say(page: Page, text: string): Promise<void> {
  await writing(page).fill(text);
  await writing(page).press('Enter');
  await message(page, text).waitFor();
}
