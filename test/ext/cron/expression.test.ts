import { describe, expect, test } from 'vitest';
import { readExpression } from '../../../src/ext/cron/expression.ts';

describe('an expression', () => {
  test.for([
    ['0 0 * * *', '0 0 0 * * * *'],
    ['  5\t0 0 * *   *  ', '5 0 0 * * * *'],
    ['5 0 0 * * * 2030', '5 0 0 * * * 2030'],
    ['@yearly', '0 0 0 1 1 * *'],
    ['@annually', '0 0 0 1 1 * *'],
    ['@monthly', '0 0 0 1 * * *'],
    ['@weekly', '0 0 0 * * 0 *'],
    ['@daily', '0 0 0 * * * *'],
    ['@MIDNIGHT', '0 0 0 * * * *'],
    [' @hourly ', '0 0 * * * * *'],
    ['0 0 9 ? * MON#1', '0 0 9 * * 1#1 *'],
    ['0 0 12 1/5 * ?', '0 0 12 1-31/5 * * *'],
    ['0 0 9 ? * */2', '0 0 9 * * */2 *'],
    ['0 0 9 ? * MON-FRI/2', '0 0 9 * * 1,3,5 *'],
  ] as const)('%s is read as %s', ([text, fields]) => {
    expect(readExpression(text)).toMatchObject({ fields, daysBefore: 0 });
  });

  test('L-n is n days before the last day of the month', () => {
    for (const text of ['0 0 L-3 * *', '0 0 l-3 * ?'])
      expect(readExpression(text)).toMatchObject({ fields: '0 0 0 L * * *', daysBefore: 3 });
  });

  test.for([
    ['30 2,14 * * 1-5', true],
    ['30 22-2 */2 * *', true],
    ['* 2 * * *', false],
    ['30 */2 * * *', false],
    ['0/30 2 * * *', false],
    ['0-59/30 2 * * *', false],
    ['* 30 2 * * *', false],
  ] as const)('%s names times of day: %s', ([text, isTimeOfDay]) => {
    expect(readExpression(text).isTimeOfDay).toBe(isTimeOfDay);
  });

  test.for<readonly [text: string, why: string]>([
    ['', 'it must have 5 to 7 fields, and has 0'],
    ['   ', 'it must have 5 to 7 fields, and has 0'],
    ['* * * *', 'it must have 5 to 7 fields, and has 4'],
    ['0 0 * * * root test -x', 'it must have 5 to 7 fields, and has 8: leave out a user or a command'],
    ['@reboot', "'@reboot' is no date: submit the task when the process starts"],
    ['@every 5m', "'@every' is not supported: use the option everyMs"],
    ['CRON_TZ=Asia/Tokyo 0 9 * * 1', "'CRON_TZ=Asia/Tokyo' is not supported: use the option timezone"],
    ['TZ=UTC 0 0 * * *', "'TZ=UTC' is not supported: use the option timezone"],
    ['2030-01-01T00:00:00', "'2030-01-01T00:00:00' is a date: use the option at"],
    ['2030-01-01 00:00', "'2030-01-01' is a date: use the option at"],
    ['@daily /bin/true', "'@daily' must stand alone: leave out what follows it"],
    ['@noon', "'@noon' is no nickname; known are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly"],
    ['0 0 L-0 * *', "day of the month 'L-0' must be from L-1 to L-27"],
    ['0 0 L-28 * *', "day of the month 'L-28' must be from L-1 to L-27"],
    ['0 0 L-3 * MON', "day of the month 'L-3' must be without a weekday: use '*' there"],
    ['0 0 L-3,5 * *', "day of the month 'L-3' must stand alone"],
    ['H H * * *', "minute 'H' is a hash of Jenkins: use the option jitterMs"],
  ])('%j is refused, with what to do instead', ([text, why]) => {
    expect(() => readExpression(text)).toThrow(new TypeError(why));
  });

  test.for(['2#1', '2-6', '1', '6L', 'MON,3', 'MON-6', '7/2'])(
    "numbers of weekdays beside '?' are refused: %s",
    (day) => {
      expect(() => readExpression(`0 0 9 ? * ${day}`)).toThrow(
        new TypeError(
          `weekday '${day}' is beside '?': Quartz counts from 1 = Sunday, here 1 is Monday; use names like MON-FRI`,
        ),
      );
    },
  );
});
