// Boost.JSON, compiled once (Debian ships it header-only with 1.81).
#include <boost/json/src.hpp>
