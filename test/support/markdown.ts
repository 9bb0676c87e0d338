// Reads Markdown as GitHub shows it: fenced code, headings with their anchors, links and images.
// Works on texts in memory, so that a test can show that each check fails where it must.

import { posix } from 'node:path';

export interface MarkdownFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface CodeBlock {
  readonly file: string;
  /** The line of the opening fence. The code begins on the next line. */
  readonly line: number;
  /** The first word after the fence, in lower case. */
  readonly language: string;
  readonly code: string;
  readonly closed: boolean;
  /** What the program prints: the `text` block after it, with only blank lines between. */
  readonly output: string | undefined;
}

export interface Reference {
  readonly file: string;
  readonly line: number;
  readonly kind: 'link' | 'image';
  readonly target: string;
  /** The alternative text of an image. */
  readonly alt: string;
}

/** What the links may point to. */
export interface Repository {
  exists(path: string): boolean;
  /** The text of a Markdown file; undefined for any other. */
  markdown(path: string): string | undefined;
}

export function print(faults: readonly Fault[]): string {
  return faults.map(({ file, line, message }) => `${file}:${line}  ${message}`).join('\n');
}

export function codeBlocksOf({ path, text }: MarkdownFile): CodeBlock[] {
  const lines = text.split('\n');
  return fencesIn(lines).map((fence, i, all) => {
    const next = all[i + 1];
    const printed =
      next?.language === 'text' && lines.slice(fence.end + 1, next.start).every((line) => line.trim() === '');
    return {
      file: path,
      line: fence.start + 1,
      language: fence.language,
      code: codeIn(lines, fence),
      closed: fence.closed,
      output: printed ? codeIn(lines, next) : undefined,
    };
  });
}

/** The Markdown in the doc comments of a source file. Each line stands where it was. */
export function commentsOf(source: string): string {
  let isComment = false;
  const lines = source.split('\n').map((line) => {
    if (line.trim() === '/**') isComment = true;
    else if (line.trim() === '*/') isComment = false;
    else if (isComment) return line.replace(/^ *\* ?/, '');
    return '';
  });
  return lines.join('\n');
}

export function fenceFaults(file: MarkdownFile): Fault[] {
  return codeBlocksOf(file)
    .filter(({ closed }) => !closed)
    .map(({ line }) => ({ file: file.path, line, message: 'the code block has no closing fence' }));
}

/** Every link and image, in Markdown and in HTML. Code is left out. */
export function referencesOf(file: MarkdownFile): Reference[] {
  const prose = withoutCode(file.text);
  const found: (Reference & { readonly at: number })[] = [];
  const add = (kind: Reference['kind'], at: number, target: string, alt = ''): void => {
    found.push({ file: file.path, line: lineAt(prose, at), kind, target, alt: alt.trim().replace(/\s+/g, ' '), at });
  };
  const definitions = definitionsIn(prose);
  for (const { target, at } of definitions.values()) add('link', at, target);
  // An image may be the text of a link, so images are taken out first. Their line breaks stay.
  const links = prose.replace(
    IMAGE,
    (all, alt: string, target: string | undefined, name: string | undefined, at: number) => {
      add('image', at, target ?? definitions.get(keyOf(name || alt))?.target ?? `[${name || alt}]`, alt);
      return all.replace(/[^\n]/g, ' ');
    },
  );
  for (const { 1: text = '', 2: target, 3: name, index } of links.matchAll(LINK)) {
    if (target !== undefined) add('link', index, target);
    else if (!definitions.has(keyOf(name || text))) add('link', index, `[${name || text}]`);
  }
  for (const { 0: tag, 1: name = '', index } of prose.matchAll(TAG)) {
    const target = attribute(tag, 'src') ?? attribute(tag, 'srcset')?.split(/[\s,]/)[0] ?? attribute(tag, 'href');
    if (name.toLowerCase() === 'img') add('image', index, target ?? '', attribute(tag, 'alt'));
    else if (target !== undefined) add('link', index, target);
  }
  return found.sort((a, b) => a.at - b.at).map(({ at: _, ...reference }) => reference);
}

/** Links to files and anchors that do not exist, and images without an alternative text. */
export function referenceFaults(file: MarkdownFile, repository: Repository): Fault[] {
  return referencesOf(file).flatMap(({ line, kind, target, alt }) => {
    const messages = [
      kind === 'image' && alt === '' ? `the image ${target} has no alternative text` : undefined,
      targetFault(file, target, repository),
    ];
    return messages.flatMap((message) => (message === undefined ? [] : [{ file: file.path, line, message }]));
  });
}

/** The anchors of a page, by GitHub's rule. A heading that repeats gets -1, -2 and so on. */
export function anchorsOf(text: string): Set<string> {
  const prose = withoutCode(text, 'blocks');
  const anchors = new Set<string>();
  for (const heading of headingsIn(prose)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  for (const [tag] of prose.matchAll(/<[a-z][^>]*>/gi)) {
    const anchor = attribute(tag, 'id') ?? attribute(tag, 'name');
    if (anchor !== undefined) anchors.add(anchor);
  }
  return anchors;
}

/** GitHub's rule: lower case, no markup, no punctuation, and a hyphen for each space. */
export function slugOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/`[^`]*`|<[^>]*>/g, (part) => (part.startsWith('<') ? '' : part))
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{Nd}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

const TEXT = String.raw`\[((?:[^\[\]]|\[[^\[\]]*\])*)\]`;
const TARGET = String.raw`\(\s*<?([^)\s>]+)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)`;
const IMAGE = new RegExp(String.raw`!${TEXT}(?:${TARGET}|\[([^\]]*)\])`, 'g');
const LINK = new RegExp(String.raw`${TEXT}(?:${TARGET}|\[([^\]]*)\])`, 'g');
const DEFINITION = /^ {0,3}\[([^\]]+)\]:\s*<?([^\s>]+)>?/gm;
const TAG = /<(img|a|source)\s[^>]*>/gi;

interface Fence {
  readonly start: number;
  /** The index of the closing fence, or of the line after the last. */
  readonly end: number;
  readonly indent: number;
  readonly language: string;
  readonly closed: boolean;
}

function fencesIn(lines: readonly string[]): Fence[] {
  const fences: Fence[] = [];
  for (let start = 0; start < lines.length; start += 1) {
    const [, indent = '', mark, info = ''] = /^([\s>]*)(`{3,}|~{3,})(.*)$/.exec(lines[start] ?? '') ?? [];
    if (mark === undefined || (mark.startsWith('`') && info.includes('`'))) continue;
    const closing = new RegExp(`^[\\s>]*${mark[0]}{${mark.length},}\\s*$`);
    const found = lines.findIndex((line, i) => i > start && closing.test(line));
    const end = found === -1 ? lines.length : found;
    const language =
      info
        .trim()
        .split(/[\s,{]/)[0]
        ?.toLowerCase() ?? '';
    fences.push({ start, end, indent: indent.length, language, closed: found !== -1 });
    start = end;
  }
  return fences;
}

function codeIn(lines: readonly string[], { start, end, indent }: Fence): string {
  return lines
    .slice(start + 1, end)
    .map((line) => `${line.slice(0, indent).replace(/^[\s>]+/, '')}${line.slice(indent)}\n`)
    .join('');
}

/** The text with code and HTML comments blanked. Every line and every position stays. */
function withoutCode(text: string, what: 'blocks' | 'all' = 'all'): string {
  const lines = text.split('\n');
  for (const { start, end } of fencesIn(lines))
    for (let i = start; i <= end && i < lines.length; i += 1) lines[i] = blank(lines[i] ?? '');
  const prose = lines.join('\n').replace(/<!--[\s\S]*?-->/g, blank);
  // A code span ends within its paragraph.
  return what === 'blocks' ? prose : prose.replace(/(?<!`)(`+)(?!`)((?:(?!\n\s*\n)[\s\S])*?)(?<!`)\1(?!`)/g, blank);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

function headingsIn(prose: string): string[] {
  return prose.split('\n').flatMap((line, i, lines) => {
    const [, atx] = /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/.exec(line) ?? [];
    if (atx !== undefined) return [atx];
    const underlined = /^ {0,3}(?:=+|-+)\s*$/.test(lines[i + 1] ?? '') && /^ {0,3}[^\s#>|-]/.test(line);
    return underlined ? [line] : [];
  });
}

function definitionsIn(prose: string): Map<string, { readonly target: string; readonly at: number }> {
  return new Map(
    [...prose.matchAll(DEFINITION)].map(({ 1: name = '', 2: target = '', index }) => [
      keyOf(name),
      { target, at: index },
    ]),
  );
}

function keyOf(name: string): string {
  return name.trim().toLowerCase().replace(/\s+/g, ' ');
}

function attribute(tag: string, name: string): string | undefined {
  const [, quoted, single] = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag) ?? [];
  return quoted ?? single;
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

function targetFault(file: MarkdownFile, target: string, repository: Repository): string | undefined {
  if (target === '') return 'an image has no source';
  if (target.startsWith('[')) return `the reference ${target} is not defined`;
  if (/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(target)) return undefined; // an address elsewhere
  const [name = '', anchor] = target.split('#').map(decodeURIComponent);
  const folder = name.startsWith('/') ? '.' : posix.dirname(file.path);
  const path = name === '' ? file.path : posix.join(folder, name.replace(/\?.*/, '')).replace(/\/$/, '');
  if (path.startsWith('..')) return `${target} leaves the repository`;
  if (path !== file.path && !repository.exists(path)) return `${target}: there is no ${path}`;
  if (anchor === undefined) return undefined;
  const text = path === file.path ? file.text : repository.markdown(path);
  if (text === undefined) return /^L\d+(?:-L\d+)?$/.test(anchor) ? undefined : `${target}: ${path} has no anchors`;
  return anchorsOf(text).has(anchor) ? undefined : `${target}: ${path} has no heading for #${anchor}`;
}
