#include "plugin_abi_layout.h"
