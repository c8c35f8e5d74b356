/** As GPT-2 writes bytes, so that each is a character that can be seen. */
const byteCharacters = (): string[] => {
  const isSeen = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isSeen(byte) ? byte : 256 + hidden++));
};

/** A real byte-level BPE tokenizer, only that its merges are few: "th", "the", and " the". */
export const TOKENIZER = (() => {
  const merges = ["t h", "th e", "Ġ the"];
  const tokens = [...byteCharacters(), "th", "the", "Ġthe"];
  const special = ["<|im_start|>", "<|im_end|>"];
  return {
    version: "1.0",
    added_tokens: special.map((content, index) => ({
      id: tokens.length + index,
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: { type: "NFC" },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true },
    post_processor: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, index) => [token, index])),
      merges,
    },
  };
})();

/** Qwen's way of writing messages, and Mistral's way of refusing them. */
export const TEMPLATE = `{%- if messages[0].role == 'assistant' %}{{ raise_exception('must begin with the user') }}{%- endif %}
{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}`;
