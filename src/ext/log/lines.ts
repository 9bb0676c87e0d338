// The lines of one event, for people.

import { styleText } from 'node:util';
import type { TaskEvent } from '../../index.ts';
import { cut, isError, levelOf, plainPart, printable, sentenceOf, subjectOf } from '../../kit.ts';
import type { LogLevel } from './options.ts';

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

export const PLAIN: Paint = (_, text) => text;

/** The stream was asked before: `styleText` would ask stdout again. */
export const COLORED: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Colour alone says nothing: each level is a word, too. */
const STYLES: Readonly<Record<LogLevel, Style>> = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' };

/** The width of the longest level. */
const LEVEL_WIDTH = 5;

/** A longer subject moves its sentence to the right. */
const SUBJECT_WIDTH = 20;

/** A line of an error begins below the subject. No line of an event begins so. */
const BESIDE = `${' '.repeat('00:00:00.000'.length + 1 + LEVEL_WIDTH)} |`;

/** How much of an error is shown: of its stack, and of each line. */
const STACK_LINES = 5;
const LINE_WIDTH = 300;

/** The local time, the level, the slot and the sentence. */
export function lineOf(event: TaskEvent, paint: Paint): string {
  const level = levelOf(event);
  const mark = paint(STYLES[level], level.padEnd(LEVEL_WIDTH));
  const subject = paint('bold', subjectOf(event).padEnd(SUBJECT_WIDTH));
  return `${paint('gray', timeOf(event.at))} ${mark} ${subject} ${sentenceOf(event)}`;
}

/** The beginning of the stack, and the first line of each cause. None for what is no error. */
export function errorLinesOf(error: unknown, paint: Paint): string[] {
  if (!isError(error)) return [];
  const { cause, ...top } = plainPart(error) as PlainError;
  const lines = [...stackOf(top).slice(0, STACK_LINES), ...causesOf(cause)];
  return lines.map((line) => paint('gray', `${BESIDE} ${printable(cut(line, LINE_WIDTH))}`));
}

/** An error as a record shows it. */
interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: unknown;
}

const stackOf = ({ name, message, stack = `${name}: ${message}` }: PlainError): string[] => stack.split(/\r?\n/);

function causesOf(cause: unknown): string[] {
  if (typeof cause !== 'object' || cause === null || !('message' in cause)) return [];
  const error = cause as PlainError;
  return [`caused by ${stackOf(error)[0]}`, ...causesOf(error.cause)];
}

function timeOf(at: number): string {
  const time = new Date(at);
  const [hours, minutes, seconds] = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => pad(part, 2));
  return `${hours}:${minutes}:${seconds}.${pad(time.getMilliseconds(), 3)}`;
}

const pad = (part: number, width: number): string => String(part).padStart(width, '0');
