import { UsageError } from "../core/errors.ts";

/**
Refuses flags that stand on the command line, but belong to another form of the command. From the environment or the
config file they are ignored.

@param owners by flag, the forms that have it; a flag that is not listed belongs to all
@param shown how a form is written
@param instead by form and flag, what to write instead
@throws UsageError
*/
export const checkOwnFlags = <Form extends string>(
  given: ReadonlySet<string>,
  form: Form,
  owners: Readonly<Record<string, readonly Form[]>>,
  shown: (form: Form) => string,
  instead: Readonly<Record<string, string>> = {},
): void => {
  const wrong = [...given].find((flag) => owners[flag]?.includes(form) === false);
  if (wrong === undefined) return;
  const flag = `--${wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const others = (owners[wrong] ?? []).map((each) => `"${shown(each)}"`).join(" and ");
  const advice = instead[`${form} ${wrong}`];
  throw new UsageError(
    `${flag} is not a flag of "${shown(form)}", but of ${others}.${advice === undefined ? "" : ` ${advice}`}`,
  );
};
