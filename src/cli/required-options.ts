import type { Command } from 'commander';

/**
 * Makes options compulsory. Commander's own check comes before the one for unknown options, so that a slip in an
 * option's name would be reported as that option missing.
 * @param flags long flags as they were declared, such as `--data`
 * @param isNeeded whether they are compulsory this time; always unless given
 */
export function requireOptions(
  command: Command,
  flags: readonly string[],
  isNeeded: () => boolean = () => true,
): Command {
  return command.hook('preAction', () => {
    if (!isNeeded()) return;
    for (const option of command.options) {
      const isMissing = command.getOptionValue(option.attributeName()) === undefined;
      if (isMissing && flags.includes(option.long ?? '')) {
        command.error(`error: required option '${option.flags}' not specified`, {
          code: 'commander.missingMandatoryOptionValue',
        });
      }
    }
  });
}
