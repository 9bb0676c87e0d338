// The API reference is complete, and each link in it leads somewhere. typedoc.config.js says what
// it has to document.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { Application, Logger, LogLevel } from 'typedoc';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from './support/example.ts';

/** Keeps what typedoc would print. */
class Kept extends Logger {
  readonly messages: string[] = [];
  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.messages.push(message);
  }
}

const site = mkdtempSync(join(tmpdir(), 'slotvisor-reference-'));
const logger = new Kept();
let modules: readonly string[];

beforeAll(async () => {
  const app = await Application.bootstrapWithPlugins({ options: `${ROOT}typedoc.config.js`, logLevel: 'Warn' });
  app.logger = logger;
  const project = await app.convert();
  if (project === undefined) throw new Error(logger.messages.join('\n'));
  app.validate(project);
  await app.generateDocs(project, site);
  modules = project.children?.map(({ name }) => name) ?? [];
});

afterAll(() => rmSync(site, { recursive: true, force: true }));

test('every export and every member has a comment, and each {@link} names one of them', () => {
  expect(logger.messages.join('\n')).toBe('');
});

test('each entry point of the package is a module under the name that a program imports', () => {
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { exports: Record<string, unknown> };
  const entryPoints = Object.keys(exports).filter((path) => path !== './package.json');
  expect(modules).toEqual(entryPoints.map((path) => path.replace('.', 'slotvisor')));
});

test('each link and picture of the site leads to a page, an anchor or a file that exists', () => {
  const pages = new Map(
    readdirSync(site, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(html|svg)$/.test(name))
      .map((name) => [join(site, name), readFileSync(join(site, name), 'utf8')]),
  );
  const dead = [...pages].flatMap(([page, html]) =>
    targetsIn(html)
      .filter((target) => !leads(page, target))
      .map((target) => `${relative(site, page)}: ${target}`),
  );
  expect(pages.size).toBeGreaterThan(100);
  expect(dead).toEqual([]);

  function leads(page: string, target: string): boolean {
    const [path = '', anchor] = target.split('#').map(decodeURIComponent);
    const file = path === '' ? page : resolve(dirname(page), path.replace(/\/$/, '/index.html'));
    if (anchor !== undefined) return pages.get(file)?.includes(`id="${anchor}"`) ?? false;
    return existsSync(file) && !file.endsWith('.md'); // a Markdown file is a page, or the site lacks it
  }
});

/** What the links and pictures of a page lead to, within the site. */
const targetsIn = (html: string): string[] =>
  [...html.matchAll(/ (?:href|src|srcset)="([^"]*)"/g)]
    .map(([, target]) => (target as string).replaceAll('&amp;', '&'))
    .filter((target) => target !== '#' && !/^[a-z]+:/.test(target));
