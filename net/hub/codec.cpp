#include "net/hub/codec.h"
