import type { CommandSpec } from "../command-spec.ts";
import type { Shell } from "../completion/script.ts";
import { EXIT } from "../exit-codes.ts";

export const completion: CommandSpec = {
  description: `Add one of these lines to the start file of your shell:

  source <(callarchive completion bash)      in ~/.bashrc
  source <(callarchive completion zsh)       in ~/.zshrc, after compinit
  callarchive completion fish | source       in ~/.config/fish/config.fish`,
  options: {},
  examples: [
    [
      "completion bash > ~/.local/share/bash-completion/completions/callarchive",
      "install the script, so that the shell starts faster",
    ],
  ],
  run: async ({ args: [shell], io, program }) => {
    const { completionScript } = await import("../completion/script.ts");
    io.stdout.write(completionScript(shell as Shell, await program()));
    return EXIT.complete;
  },
};
