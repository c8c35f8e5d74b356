import { type Candidates, type CompletedCommand, type CompletedFlag, programFlags } from "./model.ts";

export const fish = (commands: readonly CompletedCommand[]): string => `# fish completion of callarchive
function __callarchive_words
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or echo $word
    end
end
function __callarchive_on
    set -l words (__callarchive_words)
    test "$words[1]" = "$argv[1]"
end
complete -c callarchive -f
${programFlags.map((flag) => line(`-n '__callarchive_on ""' ${namesOf(flag)}`, flag.summary)).join("\n")}
${commands.map(({ name, summary }) => line(`-n '__callarchive_on ""' -a ${name}`, summary)).join("\n")}
${commands.flatMap(linesOf).join("\n")}
`;

const linesOf = ({ name, flags, args }: CompletedCommand): string[] => {
  const on = `-n '__callarchive_on ${name}'`;
  return [
    ...flags.map((flag) => line(`${on} ${namesOf(flag)}${flag.value ? takes(flag.value) : ""}`, flag.summary)),
    ...args.flatMap((arg, at) => {
      // fish may count a flag's value as an argument; then it only offers wrong candidates.
      const here = `-n '__callarchive_on ${name}; and test (count (__callarchive_words)) -eq ${at + 1}'`;
      if (arg.words.length > 0) return [`complete -c callarchive ${here} -a ${quoted(arg.words.join(" "))}`];
      return arg.files ? [`complete -c callarchive ${on} -F`] : [];
    }),
  ];
};

const takes = ({ words, files, list }: Candidates): string => {
  if (words.length > 0)
    return list
      ? ` -x -a ${quoted(`(__fish_complete_list , "printf '%s\\n' ${words.join(" ")}")`)}`
      : ` -x -a ${quoted(words.join(" "))}`;
  if (files === "folder") return " -x -a '(__fish_complete_directories)'";
  return files ? " -r -F" : " -x";
};

const namesOf = ({ names: [long = "", short] }: CompletedFlag): string =>
  `-l ${long.slice(2)}${short ? ` -s ${short.slice(1)}` : ""}`;

const line = (words: string, summary: string): string => `complete -c callarchive ${words} -d ${quoted(summary)}`;

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
