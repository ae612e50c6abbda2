#include "net/redis/connection.h"
