import { type Candidates, type CompletedCommand, programFlags } from "./model.ts";

/** For bash 3.2 and later, with or without the bash-completion package. */
export const bash = (commands: readonly CompletedCommand[]): string => `# bash completion of callarchive
_callarchive_words() {
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
# A list separated by commas.
_callarchive_list() {
  local IFS=$' \\t\\n' before=
  case "$cur" in *,*) before="\${cur%,*}," ;; esac
  COMPREPLY=($(compgen -P "$before" -W "$1" -- "\${cur##*,}"))
}
# Readline quotes file names correctly; old versions of bash cannot ask it.
_callarchive_files() {
  local IFS=$'\\n'
  compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$cur"))
}
_callarchive_folders() {
  local IFS=$'\\n'
  compopt -o dirnames 2>/dev/null || COMPREPLY=($(compgen -d -- "$cur"))
}
# The flags of a command that take a value.
_callarchive_valued() {
  case "$1" in
${commands.map(({ name, flags }) => `    ${name}) valued=" ${namesOf(flags.filter(({ value }) => value))} " ;;`).join("\n")}
    *) valued= ;;
  esac
}
_callarchive() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local command= valued= flags= word i=1 place=0 only=
  COMPREPLY=()
  # --flag=value arrives as three words.
  if [[ "$cur" == = ]]; then cur=
  elif [[ "$prev" == = ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  while ((i < COMP_CWORD)); do
    word="\${COMP_WORDS[i]}"
    if [[ "$word" == -- ]]; then only=arguments
    elif [[ -z "$only" && "$word" == -* ]]; then
      if [[ "$valued" == *" $word "* ]]; then
        ((i++))
        [[ "\${COMP_WORDS[i]}" == = ]] && ((i++))
      fi
    elif [[ -z "$command" ]]; then
      command="$word"
      _callarchive_valued "$command"
    else ((place++))
    fi
    ((i++))
  done
  case "$command" in
    "")
      if [[ "$cur" == -* ]]; then _callarchive_words "${namesOf(programFlags)}"
      else _callarchive_words "${commands.map(({ name }) => name).join(" ")}"
      fi
      return ;;
${commands.map(block).join("\n")}
    *) return ;;
  esac
  if [[ -z "$only" && "$cur" == -* ]]; then _callarchive_words "$flags"; fi
}
complete -F _callarchive callarchive
`;

const namesOf = (flags: readonly { names: readonly string[] }[]): string =>
  flags.flatMap(({ names }) => names).join(" ");

const block = ({ name, flags, args }: CompletedCommand): string => {
  const values = flags.flatMap(({ names, value }) => (value ? [{ names, action: actionOf(value) }] : []));
  const actions = [...new Set(values.map(({ action }) => action))];
  const cases = actions.map((action) => {
    const those = values.filter((value) => value.action === action).flatMap(({ names }) => names);
    return `          ${those.join("|")}) ${action}${action ? "; " : ""}return ;;`;
  });
  const places = args.flatMap((arg, at) => {
    const action = actionOf(arg);
    return action ? [`          ${arg.many ? "*" : at}) ${action} ;;`] : [];
  });
  return [
    `    ${name})`,
    `      flags="${namesOf(flags)}"`,
    ...(cases.length > 0
      ? [`      if [[ -z "$only" ]]; then`, `        case "$prev" in`, ...cases, "        esac", "      fi"]
      : []),
    ...(places.length > 0
      ? [
          `      if [[ -n "$only" || "$cur" != -* ]]; then`,
          `        case "$place" in`,
          ...places,
          "        esac",
          "      fi",
        ]
      : []),
    "      ;;",
  ].join("\n");
};

const actionOf = ({ words, files, list }: Candidates): string => {
  if (words.length > 0) return `_callarchive_${list ? "list" : "words"} "${words.join(" ")}"`;
  return files ? `_callarchive_${files}s` : "";
};
