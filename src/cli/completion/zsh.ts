import { type Candidates, type CompletedCommand, type CompletedFlag, programFlags } from "./model.ts";

/** For a file named `_callarchive` in `$fpath`, and for `source` after compinit. */
export const zsh = (commands: readonly CompletedCommand[]): string => `#compdef callarchive
_callarchive_commands() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`).join("\n")}
  )
  _describe -t commands command commands
}
_callarchive() {
  local context state state_descr line curcontext="$curcontext"
  typeset -A opt_args
  _arguments -C -s -S \\
${programFlags.map((flag) => `    ${specOf(flag)} \\`).join("\n")}
    '1:command:_callarchive_commands' \\
    '*:: :->arguments' && return
  [[ $state == arguments ]] || return
  case $words[1] in
${commands.map(block).join("\n")}
  esac
}
if [[ $funcstack[1] == _callarchive ]]; then _callarchive "$@"; else compdef _callarchive callarchive; fi
`;

const block = ({ name, flags, args }: CompletedCommand): string => {
  const specs = [
    ...flags.map(specOf),
    ...args.map((arg, at) => quoted(`${arg.many ? "*" : at + 1}:${arg.files ?? " "}:${actionOf(arg)}`)),
  ];
  return `    ${name})\n      _arguments -s -S \\\n${specs.map((spec) => `        ${spec}`).join(" \\\n")}\n      ;;`;
};

/** A flag for `_arguments`: what it excludes, its names, its description, its value. */
const specOf = ({ names, summary, value }: CompletedFlag): string => {
  const [long = "", short] = names;
  const repeats = value?.list ? "*" : `(${names.join(" ")})`;
  const meaning = `[${summary.replace(/[[\]\\:]/g, "\\$&")}]`;
  const rest = quoted(`${meaning}${value ? `:${value.files ?? "value"}:${actionOf(value)}` : ""}`);
  const [longForm, shortForm] = value ? [`${long}=`, `${short}+`] : [long, `${short}`];
  const forms = short ? `{${shortForm},${longForm}}` : quoted(longForm);
  return `${quoted(repeats)}${forms}${rest}`;
};

const actionOf = ({ words, files, list }: Candidates): string => {
  if (words.length > 0) return list ? ` _values -s , value ${words.join(" ")}` : `(${words.join(" ")})`;
  return files === "folder" ? "_files -/" : files ? "_files" : " ";
};

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
