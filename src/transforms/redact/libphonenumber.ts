// The build bundles this file, because libphonenumber-js takes 13 MB installed, and redaction uses only this function.
export { parsePhoneNumberFromString } from "libphonenumber-js/max";
