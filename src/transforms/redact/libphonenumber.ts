// Inlined when the package is built: installed, libphonenumber-js takes 13 MB, and this is all that redaction uses of it.
export { parsePhoneNumberFromString } from "libphonenumber-js/max";
