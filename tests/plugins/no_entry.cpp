// A manifest and nothing else: the macro that exports the plugin was forgotten.
extern "C" __attribute__((visibility("default"))) int sizewise_plugin_v0() {
  return 0;
}
