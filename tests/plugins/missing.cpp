namespace absent {
/// Defined in a library that is not there when the plugin is loaded.
int answer_of(long question);
}  // namespace absent

extern "C" __attribute__((visibility("default"))) int sizewise_plugin_v1() {
  return absent::answer_of(42);
}
