import { Argument, Command } from 'commander';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `completion <shell>` prints what a shell's start-up file takes; `complete` answers it, and is not for people. */
export function completionCommands(
  program: Command,
  print: (text: string) => void,
): { command: Command; how: { hidden?: boolean } }[] {
  const completion = new Command('completion')
    .description('prints the completion of a shell: eval "$(order-saga completion bash)"')
    .addArgument(new Argument('<shell>', 'whose').choices(shells))
    .action((shell: (typeof shells)[number]) => print(scripts[shell]));
  const complete = new Command('complete')
    .argument('[words...]')
    .helpOption(false)
    .allowUnknownOption()
    .action((words: string[]) => print(candidates(program, words).join('\n')));
  return [
    { command: completion, how: {} },
    { command: complete, how: { hidden: true } },
  ];
}

/** What may stand where the last word begins: commands, options, or the choices of the option before it. */
export function candidates(program: Command, words: readonly string[]): string[] {
  const before = words.slice(0, -1);
  const begun = words.at(-1) ?? '';
  let command = program;
  for (const word of before) {
    command = command.commands.find((one) => one.name() === word) ?? command;
  }
  const option = command.options.find(({ long, short }) => [long, short].includes(before.at(-1) ?? ''));
  if (option && (option.required || option.optional)) return fitting(option.argChoices ?? [], begun);
  const options = command.options.flatMap(({ long }) => (long && !before.includes(long) ? [long] : []));
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name());
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return fitting([...(begun.startsWith('-') ? [] : [...visible, ...choices]), ...options, '--help'], begun);
}

const fitting = (words: readonly string[], begun: string): string[] =>
  words.filter((word) => word.startsWith(begun));

/* Each asks the program that is being typed, wherever it is. */
const scripts = {
  bash: `_order_saga() {
  local IFS=$'\\n'
  COMPREPLY=( $("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) )
}
complete -o default -F _order_saga order-saga`,
  zsh: `_order_saga() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _order_saga order-saga`,
  fish: `complete -c order-saga -f -a '(set -l typed (commandline -opc); $typed[1] complete -- $typed[2..] (commandline -ct) 2>/dev/null)'`,
};
