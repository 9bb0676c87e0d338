// Text from user code that is shown: in an error, in a log, or on a terminal.

/** At most `max` UTF-16 units: the last one is a mark where the text was cut. */
export const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

/** Control characters, line separators, lone surrogates, and what changes the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** One line, which a terminal shows as it is. The rest is written as `\uXXXX`. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
