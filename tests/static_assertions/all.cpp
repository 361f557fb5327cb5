// Every case in a namespace of its own, and its one C symbol under a name of its own.
#include <sizewise/model.hpp>

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_accepted
namespace accepted {
#include "accepted.cpp"
}  // namespace accepted
#undef sizewise_plugin_v1

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_count_parameters
namespace count_parameters {
#include "count_parameters.cpp"
}  // namespace count_parameters
#undef sizewise_plugin_v1

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_mutable_num_params
namespace mutable_num_params {
#include "mutable_num_params.cpp"
}  // namespace mutable_num_params
#undef sizewise_plugin_v1

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_no_num_params
namespace no_num_params {
#include "no_num_params.cpp"
}  // namespace no_num_params
#undef sizewise_plugin_v1

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_private_constructor
namespace private_constructor {
#include "private_constructor.cpp"
}  // namespace private_constructor
#undef sizewise_plugin_v1

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_wrong_base
namespace wrong_base {
#include "wrong_base.cpp"
}  // namespace wrong_base
#undef sizewise_plugin_v1

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_wrong_forward
namespace wrong_forward {
#include "wrong_forward.cpp"
}  // namespace wrong_forward
#undef sizewise_plugin_v1

#undef SIZEWISE_PLUGIN_KIND
#define sizewise_plugin_v1 entry_of_wrong_kind
namespace wrong_kind {
#include "wrong_kind.cpp"
}  // namespace wrong_kind
#undef sizewise_plugin_v1
